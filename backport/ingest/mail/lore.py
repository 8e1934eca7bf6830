"""Fetches one thread from a public-inbox server (lore.kernel.org), by Message-ID or URL, in one polite request.

The server packs the whole thread as `t.mbox.gz`. It is asked once, is told who asks, is asked again only where it says "later" or
does not answer, after 1, 2 and 4 seconds, and never for more than MOST bytes.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from backport import __version__
from backport.model.errors import EnvironmentFailedError, InputError

SERVER = "https://lore.kernel.org/all/"
MOST = 64 << 20
_TIMEOUT = 30
_TRIES = 4
_LATER = (408, 429, 500, 502, 503, 504)
_AGENT = f"backport/{__version__} (kernel backport tool; one thread at a time)"
_URL = re.compile(r"https?://[^\s/]+/(?:[^\s/]+/)+(?:t\.mbox\.gz|T/?|t/?|raw|)(?:#\S*)?")
_IDENTITY = re.compile(r"<?([^<>\s/@]+@[^<>\s/@]+)>?")


def thread_url(source: str, server: str = SERVER) -> str:
    """Where the thread of a Message-ID or URL can be had. InputError for what is neither."""
    if found := _IDENTITY.fullmatch(source):
        return f"{server}{quote(found[1], safe='@')}/t.mbox.gz"
    parts = urlsplit(source)
    path = re.sub(
        r"(?:t\.mbox\.gz|[Tt]/?|raw)$", "", parts.path if parts.path.endswith(("/", "gz", "raw", "T", "t")) else parts.path + "/"
    )
    if (
        parts.scheme not in ("http", "https")
        or path.count("/") < 3
        or not _URL.fullmatch(f"{parts.scheme}://{parts.netloc}{path}")
    ):
        raise InputError("this is no URL of a thread", where=source, then=f"write {SERVER}MESSAGE-ID/, or the Message-ID alone")
    return f"{parts.scheme}://{parts.netloc}{path}t.mbox.gz"


def fetch(url: str, into: Path, sleep: Callable[[float], None] = time.sleep) -> None:
    """Write what the URL holds to a file. InputError where the server has no such thread, EnvironmentFailedError for the rest."""
    said = ""
    for again in range(_TRIES):
        if again:
            sleep(2 ** (again - 1))
        try:
            _get(url, into)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (404, 410):
                    raise InputError("the server has no such thread", where=url, then="is the Message-ID whole?") from error
                said = f"the server answers {error.code}"
            if error.code not in _LATER:
                break
        except (OSError, HTTPException) as error:
            said = str(getattr(error, "reason", error)) or type(error).__name__
        else:
            return
    raise EnvironmentFailedError(
        f"cannot fetch the thread: {said}", where=url, then="try again later, or save the mbox and give that"
    )


def _get(url: str, into: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT, "Accept": "application/gzip, application/mbox"})  # noqa: S310 - thread_url lets only http(s) through
    opener = urllib.request.build_opener(_SameScheme)
    with opener.open(request, timeout=_TIMEOUT) as answer, into.open("wb") as file:
        size = 0
        while piece := answer.read(1 << 16):
            size += len(piece)
            if size > MOST:
                raise InputError(f"the thread is larger than {MOST >> 20} MB", where=url, then="save the mbox and give that")
            file.write(piece)


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to something else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """As urllib does, where the scheme stays."""
        if urlsplit(newurl).scheme not in (urlsplit(req.full_url).scheme, "https"):
            raise urllib.error.HTTPError(req.full_url, code, "redirect to another scheme", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
