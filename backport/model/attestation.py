"""Who signed a mail, by which key, and what the signature covers: evidence that a patch is its author's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """What is asked of signatures: nothing; that they are checked and the result told; that every patch has a valid one."""

    OFF = "off"
    WARN = "warn"
    REQUIRE = "require"


class Standing(StrEnum):
    """What a signature is worth. Only a valid one counts: good, by a known key, of the sender, over all that git applies."""

    VALID = "valid"
    PARTIAL = "partial"
    FOREIGN = "foreign"
    EXPIRED = "expired"
    NO_KEY = "no key"
    BAD = "bad"
    UNCHECKED = "not checked"


_MEANS = {
    Standing.PARTIAL: "good, but it leaves something open",
    Standing.FOREIGN: "good, but not the sender's",
    Standing.EXPIRED: "it has expired",
    Standing.NO_KEY: "the key is not at hand",
    Standing.BAD: "the mail is not what was signed",
    Standing.UNCHECKED: "it was not checked",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a mail.

    `method` is scheme and algorithm ("patatt ed25519", "dkim rsa-sha256"); `who` the address or domain that it is made in the
    name of; `key` where the key came from, '' where there was none. `covers` are the signed headers in lower case, and "body"
    where all of it is signed. `why` says in words what keeps it from being valid.
    """

    method: str
    standing: Standing
    who: str
    key: str = ""
    covers: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        told = f"{self.method} {self.who}: {self.standing}"
        because = self.why or _MEANS.get(self.standing, "")
        return told + (f" ({because})" if because else f" (covers {', '.join(self.covers)}; {self.key})")


@dataclass(frozen=True, slots=True)
class Attested:
    """All signatures of one mail. `where` is its place in the source, `sender` the address that it comes from."""

    where: str
    message_id: str
    sender: str
    signatures: tuple[Signature, ...]

    @property
    def valid(self) -> bool:
        """Whether one of them is valid."""
        return any(each.standing is Standing.VALID for each in self.signatures)

    def __str__(self) -> str:
        best = [each for each in self.signatures if each.standing is Standing.VALID] or list(self.signatures)
        return "; ".join(map(str, best)) or "no signature"
