"""Message-ids that one run of a sending program made: the surest sign that mails belong together.

`git send-email` counts (`20240101120000.123-4-a@b`), so does b4; `git format-patch --thread` gives all of them one time stamp.
"""

from __future__ import annotations

import re

NO_ID = "@without-an-id"
_BOX = re.compile(r"(.+?)(?:[#:]\d+|/[^/]+)?" + NO_ID)
_FORMS = (
    re.compile(r"(\d{14}\.\d+)-\d+-(.+)"),  # git send-email
    re.compile(r"(\d{9,11}-\d+)-\d+-(git-send-email-.+)"),  # the sameof 2009: seconds, process, number
    re.compile(r"(\d{8}-.{1,80}?-v\d+)-\d+-([0-9a-f]{12}@.+)"),  # b4
    re.compile(r"(?:cover|[0-9a-f]{40})\.(\d{9,11})(\.git\..+)"),  # git format-patch --thread
)


def run_of(identity: str) -> str:
    """What all message-ids of the run have in common, '' where it is none of a known form.

    A mail without an id was written to a file by `git format-patch`, or is a patch of quilt's: its file or folder is its run.
    """
    if match := _BOX.fullmatch(identity):
        return f"box {match[1]}"
    for form in _FORMS:
        if match := form.fullmatch(identity):
            return f"{match[1]} {match[2]}"
    return ""
