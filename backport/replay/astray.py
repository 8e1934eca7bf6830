"""A patch all of whose files the target lacks may still be about code that the target has, under another name of file.

Such a patch is no "not applicable": 76f273640134 changes net/mac80211/work.c, which 2.6.32 does not have; its
ieee80211_send_assoc() was in mlme.c then, and Fedora 12 put the fix there by hand. Who reads "the target has none of its files"
goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from backport.model.series import Patch, show_path
from backport.replay.compose import situation
from backport.replay.decide import Decision
from backport.replay.rules.moved import kept
from backport.replay.situation import Library


def astray(patch: Patch, tree: str, decisions: Sequence[Decision], library: Library) -> str:
    """Why a patch without a file in the target needs a person all the same, '' where nothing that it changes is found there.

    Asked about a patch that no rule could settle. It may be wrong where two drivers of one folder share a helper by copying it.
    """
    for decision in decisions:
        for name, path in kept(situation(patch, tree, decision, library, str)):
            function = name.decode("utf-8", "replace")
            return f"the target has none of its files, but {function}() is in {show_path(path)}"
    return ""
