"""Posted series, as tables and trees, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from backport.report.lines import GUIDE, text

if TYPE_CHECKING:
    from backport.model.attestation import Attested
    from backport.model.mail import Fate, Given, Lineage, Link, Refused, Revision

SCHEMA = "backport-mail/1"
_MOST_REFUSED = 20


def day(seconds: int) -> str:
    """A date as year-month-day, UTC; `no date` where there is none that can be believed."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d") if seconds else "no date"


def series_list(revisions: Sequence[Revision], links: Mapping[str, Link]) -> Table:
    """Every series of an archive, one row a revision: date, revision, how many patches of how many, who, title, id."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("date", "revision", "patches", "from"):
        table.add_column(name, no_wrap=True)
    table.add_column("title", overflow="fold")
    table.add_column("after", overflow="fold")
    for each in revisions:
        link = links.get(each.identity)
        odd = Text("" if not each.notes else " !", "yellow")
        count = Text(f"{len(each.posts)}/{each.total}").append_text(odd)
        after = text((link.rule, GUIDE)) if link is not None else Text("")
        who = text((each.head.name[:24] or each.head.address, ""))
        table.add_row(Text(day(each.date)), Text(str(each.version)), count, who, text((each.title, "")), after)
    return table


def life_tree(found: Lineage, fate: Fate | None = None, attested: Mapping[str, Attested] | None = None) -> Tree:
    """The life of a series: each revision with its patches, what is odd about it, what linked it, what it was given.

    With its `fate`, the commits that the last posting became follow. `attested` says by message-id who signed a mail.
    """
    last = found.revisions[-1]
    tree = Tree(text((last.title, "bold"), (f"  {last.head.name} <{last.head.address}>", GUIDE)), guide_style=GUIDE)
    by_id = {each.identity: each for each in found.revisions}
    for each in found.revisions:
        link = found.link_of(each.identity)
        superseded = any(other.earlier == each.identity for other in found.links)
        label = text(
            (f"{each.version} ", "bold cyan"), (day(each.date), ""), (f"  {len(each.posts)} of {each.total} patches", "")
        )
        label.append_text(text((f"  {each.rule}", GUIDE), ("  superseded" if superseded else "", GUIDE)))
        branch = tree.add(label)
        branch.add(text(("id ", GUIDE), (each.identity, "")))
        if link is not None:
            earlier = by_id[link.earlier]
            branch.add(
                text((f"follows {earlier.version} of {day(earlier.date)}: ", GUIDE), (link.rule, ""), (f" ({link.why})", GUIDE))
            )
        for note in each.notes:
            branch.add(text((f"{note.kind}: ", "yellow"), (note.what, "")))
        _add_patches(branch, each, found, attested or {})
        for gone in (one for one in found.dropped if one.since == each.identity):
            branch.add(text((f"dropped since {by_id[gone.last].version}: ", "yellow"), (gone.title, "")))
    if fate is not None:
        _add_fate(tree, fate, found)
    return tree


def _add_fate(tree: Tree, fate: Fate, found: Lineage) -> None:
    titles = {post.message_id: post.title for each in found.revisions for post in each.posts}
    style = "green" if fate.state in ("released", "applied") else "yellow"
    since = f" in {fate.release}" if fate.release else ""
    until = f"  the history goes to {day(fate.until)}"
    branch = tree.add(text(("became  ", "bold"), (fate.state + since, style), (until, GUIDE)))
    for each in fate.became:
        when = f"  {day(each.date)}, {each.release or 'no release'}"
        leaf = branch.add(text((each.commit[:12] + " ", "cyan"), (each.subject, ""), (when, GUIDE)))
        moved = "as posted" if not each.distance else f"{each.distance} % of the changed lines differ"
        renamed = f", posted as {titles[each.patch]}" if titles.get(each.patch, each.subject) != each.subject else ""
        leaf.add(text((f"{each.rule}, {moved}{renamed}", GUIDE)))
    for names, what in ((fate.lost, "not found"), (fate.dropped, "dropped")):
        for name in names:
            branch.add(text((f"{what} ", "yellow"), (titles.get(name, name), "")))


def _add_patches(branch: Tree, each: Revision, found: Lineage, attested: Mapping[str, Attested]) -> None:
    given = found.given_to(each.identity)
    before = found.link_of(each.identity)
    earlier = next((other for other in found.revisions if before is not None and other.identity == before.earlier), None)
    known = {post.patch_id for post in earlier.posts if post.patch_id} if earlier is not None else set()
    for post in each.posts:
        number = f"{post.label.number or 1}/{each.total} "
        same = "  unchanged" if post.patch_id in known else ""
        leaf = branch.add(text((number, GUIDE), (post.title, ""), (same, GUIDE)))
        if (told := attested.get(post.message_id)) is not None:
            leaf.add(attestation_line(told))
        _add_given(leaf, [one for one in given if one.patch == post.message_id])
    whole = [one for one in given if not one.patch]
    if whole:
        _add_given(branch.add(text(("for the whole series", GUIDE))), whole)


def attestation_line(told: Attested) -> Text:
    """Who signed a mail, or why that does not count."""
    return text(("signed: " if told.valid else "not signed: ", "green" if told.valid else "yellow"), (str(told), ""))


def _add_given(branch: Tree, given: Sequence[Given]) -> None:
    for one in given:
        label = text((f"{one.trailer.key}: ", "green"), (one.trailer.value, ""))
        if one.carried:
            label.append_text(text(("  carried over", GUIDE)))
        if one.mismatch:
            label.append_text(text((f"  {one.mismatch}", "yellow")))
        branch.add(label)


def refused_view(refused: Sequence[Refused]) -> Group:
    """The mails that were not read, with the line and the reason of each."""
    rows = [text(("refused ", "yellow"), (place(each), ""), (f": {each.why}", "")) for each in refused[:_MOST_REFUSED]]
    more = len(refused) - _MOST_REFUSED
    return Group(*rows, *([Text(f"... and {more} more (all of them with --json)", GUIDE)] if more > 0 else []))


def place(refused: Refused) -> str:
    """Where a refused mail is, with its line where there is one."""
    return f"{refused.where}:{refused.line}" if refused.line else refused.where


def dump(lives: Sequence[Lineage], refused: Sequence[Refused], attested: Sequence[Attested] = ()) -> bytes:
    """Series, refused mails and what is known of signatures as JSON; deterministic, one trailing newline."""
    import json

    from backport.model import codec

    document = {
        "schema": SCHEMA,
        "series": [codec.encode(each) for each in lives],
        "refused": [codec.encode(each) for each in refused],
        "attested": [codec.encode(each) | {"valid": each.valid} for each in attested],
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
