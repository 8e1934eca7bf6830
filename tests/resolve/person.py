"""A person who decides, without a folder: the layout's tree with some files made otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from backport.examine import Workshop
from backport.model.recording import Recording
from backport.model.series import Entry
from backport.resolve.layout import Layout, lay_out
from backport.resolve.markers import labels
from backport.resolve.record import Author, record
from tests.gitrepo import FILE, Session


def laid_out(session: Session, onto: str, number: int = 0) -> tuple[Layout, Workshop]:
    """The layout of one patch of a replay."""
    shop = Workshop(session.store, session.trees, session.history)
    patch, outcome = session.series.patches[number], session.outcomes[number]
    landed = [o.tree for o in session.outcomes[:number] if o.tree]
    tree = landed[-1] if landed else session.history.commit(onto).tree
    return lay_out(patch, outcome, tree, labels("v1", patch), shop), shop


def decided(
    session: Session, onto: str, files: Mapping[bytes, bytes | Entry | None], number: int = 0, *, whole: bool = False
) -> tuple[Recording, ...]:
    """What is recorded of a person who leaves these files behind."""
    layout, shop = laid_out(session, onto, number)
    edits = {
        path: Entry(FILE, session.store.write("blob", made)) if isinstance(made, bytes) else made for path, made in files.items()
    }
    made = session.trees.edit(layout.tree, edits)
    author = Author(session.series.patches[number], "v1", "Runa Vale <runa@mini.example>")
    return tuple(record(author, layout, made, shop, whole=whole))
