"""Checks who signed a mail: developers' signatures with patatt, a domain's with dkimpy, each by keys that are at hand.

The cryptography is the libraries'. What they leave to their caller is done here: that the signature is the sender's, that no
header stands twice (a signature covers one of them, git reads the other), and that the whole body is signed. Keys are files in
a keyring laid out as patatt's (`ed25519/example.com/ann/default`); a domain's key is the text of its DNS record in
`dkim/example.com/selector`. DNS is asked only where the caller gives the function for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backport.ingest.mail import message
from backport.ingest.mail.boxes import Found
from backport.model.attestation import Attested, Policy, Signature, Standing
from backport.model.errors import InputError
from backport.model.mail import Lineage
from backport.model.series import decode

if TYPE_CHECKING:
    from patatt import DevsigHeader, PatattMessage

_MOST_SIGNATURES = 10
_NAME = re.compile(r"(?!\.+\Z)[A-Za-z0-9._+-]{1,128}")
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.M)
_ONCE = (b"from", b"subject", b"content-type", b"content-transfer-encoding")
_INSTALL = "pip install 'backport[attest]'"


@dataclass(slots=True)
class Keys:
    """Where public keys are looked for, in order: folders, or patatt's `ref:REPOSITORY:REF:FOLDER`.

    `dns` gives the TXT record of a name, b"" or None for none. `used` collects the keys that were found, under their place in a
    keyring, so that they can be kept beside what they attest.
    """

    places: Sequence[str]
    dns: Callable[[bytes], bytes | None] | None = None
    used: dict[str, bytes] = field(default_factory=dict)

    def developer(self, algorithm: str, identity: str, selector: str) -> tuple[bytes, str] | None:
        """A developer's key and where it was, None where there is none or the names are no names."""
        from patatt import ConfigurationError, ValidationError, get_public_key, make_pkey_path

        local, _, domain = identity.partition("@")
        if not all(_NAME.fullmatch(part) for part in (local, domain, selector)):
            return None
        for place in self.places:
            try:
                key, where = get_public_key(place, algorithm, identity, selector)
            except (KeyError, OSError, ConfigurationError, ValidationError):
                continue
            self.used[str(make_pkey_path(algorithm, identity, selector))] = key
            return key, where
        return None

    def domain(self, selector: str, domain: str) -> tuple[bytes, str] | None:
        """A domain's DNS record and where it was, as `developer`."""
        if not _NAME.fullmatch(selector) or not _NAME.fullmatch(domain):
            return None
        path = f"dkim/{domain.lower()}/{selector.lower()}"
        for place in self.places:
            file = Path(place).expanduser() / path
            if not place.startswith("ref:") and file.is_file():
                self.used[path] = file.read_bytes()
                return self.used[path].strip(), str(file)
        found = self.dns(f"{selector}._domainkey.{domain}.".encode()) if self.dns is not None else None
        if not found:
            return None
        self.used[path] = found
        return found, "DNS"


def dns_text(name: bytes) -> bytes | None:
    """The TXT record of a name, asked of the resolver of this machine; None where there is none or nobody answers."""
    import dkim

    found = dkim.get_txt(name)
    return found if isinstance(found, bytes) or found is None else str(found).encode()


def attest(mails: Sequence[Found], keys: Keys) -> list[Attested]:
    """What is known of who signed each mail. Never raises for what a mail holds."""
    return [_attest(each, keys) for each in mails]


def attest_series(read: Callable[[Sequence[str]], list[Found]], found: Lineage, keys: Keys) -> dict[str, Attested]:
    """What is known of who signed each patch of each revision, by message-id; `read` hands over the mails by their places."""
    posts = [post for each in found.revisions for post in each.posts]
    told = attest(read([post.where for post in posts]), keys)
    return {post.message_id: each for post, each in zip(posts, told, strict=True)}


def insist(attested: Sequence[Attested], policy: Policy) -> None:
    """InputError for the first mail without a valid signature, where the policy requires one."""
    lacking = [each for each in attested if not each.valid] if policy is Policy.REQUIRE else []
    if lacking:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        what = f"the mail has no valid signature: {lacking[0]}{more}"
        raise InputError(what, where=lacking[0].where, then="name the folder with the keys with --keyring, or --attestation warn")


def _attest(mail: Found, keys: Keys) -> Attested:
    raw = mail.raw.partition(b"\n")[2] if mail.raw.startswith(b"From ") else mail.raw
    try:
        read = message.read(raw, of_use=re.compile(rb"(?!)"))
    except message.MailRefusedError as error:
        return Attested(mail.where, "", "", (Signature("mail", Standing.UNCHECKED, "", why=str(error)),))
    head = b"\n" + message.split(raw)[0].lower()
    found: list[Signature] = []
    if b"\nx-developer-signature" in head:
        found += _developers(raw, read.address, keys)
    if b"\ndkim-signature" in head:
        found += _domains(raw, read.address, keys)
    return Attested(mail.where, read.message_id, read.address, tuple(found))


def _developers(raw: bytes, sender: str, keys: Keys) -> list[Signature]:
    try:
        import patatt
    except ImportError:
        return [Signature("patatt", Standing.UNCHECKED, "", why=f"patatt is not installed: {_INSTALL}")]
    try:
        mail = patatt.PatattMessage(raw)
        signatures = mail.get_sigs()[:_MOST_SIGNATURES]
    except Exception as error:  # a hostile mail in another's parser: whatever it raises, the mail is not attested
        return [Signature("patatt", Standing.BAD, "", why=f"its signature cannot be read: {error}")]
    return [_developer(mail, each, sender, keys) for each in signatures]


def _developer(mail: PatattMessage, signature: DevsigHeader, sender: str, keys: Keys) -> Signature:
    """One signature of patatt's. The library is shown this one alone: of two by one identity it would check the first twice."""
    from patatt import NoKeyError, ValidationError

    method, who, where = "patatt", "", ""
    try:
        algorithm, who, selector = (signature.get_field_as_str(name) or "" for name in "ais")
        algorithm = algorithm.partition("-")[0]
        method = f"patatt {algorithm}"
        found = keys.developer(algorithm, who, selector or "default")
        if found is None:  # not gpg's own keyring either, where any key would do for any address
            return Signature(method, Standing.NO_KEY, who)
        key, where = found
        mail.sigs = [signature]
        mail.validate(who, key)
        covers = (*(signature.get_field_as_str("h") or "").lower().split(":"), "body")
    except NoKeyError:  # patatt 0.8 says so of whatever gpg refuses by this very key
        return Signature(method, Standing.BAD, who, where, why="gpg refuses it: a bad signature, or a key that has expired")
    except ValidationError as error:
        return Signature(method, Standing.BAD, who, where, why=str(error)[:200])
    except FileNotFoundError as error:
        return Signature(method, Standing.UNCHECKED, who, why=f"{error.filename} is not installed")
    except Exception as error:  # as in `_developers`
        return Signature(method, Standing.BAD, who, where, why=f"{type(error).__name__}: {error}"[:200])
    if who.lower() != sender:
        return Signature(method, Standing.FOREIGN, who, where, covers, f"the mail is from {sender}")
    twice = _twice(mail.as_bytes())
    return Signature(method, Standing.PARTIAL if twice else Standing.VALID, who, where, covers, twice)


def _domains(raw: bytes, sender: str, keys: Keys) -> list[Signature]:
    try:
        import dkim
    except ImportError:
        return [Signature("dkim", Standing.UNCHECKED, "", why=f"dkimpy is not installed: {_INSTALL}")]
    quiet = logging.getLogger("backport.dkim")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    count = len(re.findall(rb"^dkim-signature[ \t]*:", message.split(raw)[0], re.M | re.I))
    found = []
    for index in range(min(count, _MOST_SIGNATURES)):
        mail: Any = None
        try:
            mail = dkim.DKIM(raw, logger=quiet)
            found.append(_domain(mail, index, raw, sender, keys))
        except dkim.DKIMException as error:
            method, who = _names(mail)
            expired = "x= value is past" in str(error)
            found.append(Signature(method, Standing.EXPIRED if expired else Standing.BAD, who, why=str(error)[:200]))
        except Exception as error:  # as in `_developers`
            method, who = _names(mail)
            found.append(Signature(method, Standing.BAD, who, why=f"{type(error).__name__}: {error}"[:200]))
    return found


def _domain(mail: Any, index: int, raw: bytes, sender: str, keys: Keys) -> Signature:
    asked: list[tuple[bytes, str] | None] = []

    def txt(name: bytes, timeout: int = 5) -> bytes | None:
        selector, _, domain = decode(name).rstrip(".").partition("._domainkey.")
        asked.append(keys.domain(selector, domain))
        return asked[-1][0] if asked[-1] else None

    good = mail.verify(index, dnsfunc=txt)
    fields = _fields(mail)
    method, who = _names(mail)
    key = asked[-1] if asked else None
    if key is None:
        return Signature(method, Standing.NO_KEY, who)
    if not good:
        return Signature(method, Standing.BAD, who, key[1])
    signed = [name.lower() for name in mail.include_headers]
    covers = (*dict.fromkeys(decode(name) for name in signed), *(["body"] if "l" not in fields else []))
    domain = fields["d"].lower()
    if "." not in domain or not f".{sender.rpartition('@')[2]}".endswith(f".{domain}"):
        return Signature(method, Standing.FOREIGN, who, key[1], covers, f"the mail is from {sender}")
    open_ = _left_open(raw, signed, fields)
    return Signature(method, Standing.PARTIAL if open_ else Standing.VALID, who, key[1], covers, open_)


def _fields(mail: Any) -> dict[str, str]:
    return {decode(name): decode(value).strip() for name, value in (getattr(mail, "signature_fields", None) or {}).items()}


def _names(mail: Any) -> tuple[str, str]:
    """The method of a domain's signature, and in whose name it is."""
    fields = _fields(mail)
    return f"dkim {fields.get('a', '')}".strip(), fields.get("i", "") or "@" + fields.get("d", "")


def _left_open(raw: bytes, signed: Sequence[bytes], fields: dict[str, str]) -> str:
    """What somebody could have put into the mail without breaking the signature, in words; '' for nothing that git looks at."""
    here = _headers(raw)
    for name in _ONCE:
        values = here.get(name, [])
        harmless = name == b"content-type" and not any(value.startswith(b"multipart/") for value in values)
        harmless |= name == b"content-transfer-encoding" and set(values) <= {b"7bit", b"8bit", b"binary"}
        if name not in signed and not harmless:
            return f"{decode(name)} is not signed"
    return _twice(raw) or (f"only the first {fields['l']} bytes of the body are signed" if "l" in fields else "")


def _twice(raw: bytes) -> str:
    """The header that git reads and that stands there twice, in words, or ''."""
    here = _headers(raw)
    return next((f"{decode(name)} stands there {len(here[name])} times" for name in _ONCE if len(here.get(name, ())) > 1), "")


def _headers(raw: bytes) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in _FIELD.findall(message.split(raw)[0]):
        found.setdefault(name.lower(), []).append(value.strip().lower())
    return found
