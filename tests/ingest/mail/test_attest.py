"""Signatures of mails, made here by the libraries with keys of the moment, and checked; each verdict beside the library's own."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backport.ingest.mail.attest import Keys, attest, insist
from backport.ingest.mail.boxes import Found
from backport.model.attestation import Attested, Policy, Standing
from backport.model.errors import InputError
from tests.ingest.mail.letters import BEA, letter

patatt = pytest.importorskip("patatt", reason="patatt is not installed (pip install 'backport[attest]')")
dkim = pytest.importorskip("dkim", reason="dkimpy is not installed (pip install 'backport[attest]')")
signing = pytest.importorskip("nacl.signing", reason="PyNaCl is not installed (pip install 'backport[attest]')")

ANN = "ann@example.com"
MAIL = letter("[PATCH] mm: a", "a@b", text="why\n\nSigned-off-by: Ann Author <ann@example.com>\n")
COVERED = ("from", "subject", "message-id", "body")


def told(raw: bytes, *places: Path, dns: Callable[[bytes], bytes | None] | None = None) -> Attested:
    """What we say of one mail."""
    (found,) = attest([Found("here", raw)], Keys([str(place) for place in places], dns))
    return found


def standing(raw: bytes, *places: Path) -> Standing:
    """The standing of the one signature of a mail."""
    (signature,) = told(raw, *places).signatures
    return signature.standing


def pair() -> tuple[bytes, bytes]:
    """An ed25519 key of patatt's: private, public."""
    key = signing.SigningKey.generate()
    return base64.b64encode(bytes(key)), base64.b64encode(key.verify_key.encode())


def keyring(folder: Path, public: bytes, kind: str = "ed25519", who: str = ANN, selector: str = "default") -> Path:
    """A folder with one public key where patatt looks for it."""
    path = folder / patatt.make_pkey_path(kind, who, selector)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(public)
    return folder


def signed(raw: bytes, private: bytes | str, kind: str = "ed25519", who: str = ANN) -> bytes:
    """The mail with a developer's signature, made by patatt."""
    mail = patatt.PatattMessage(raw)
    mail.sign(kind, private, who, None)
    return bytes(mail.as_bytes())


def by_patatt(raw: bytes, place: Path) -> bool:
    """Whether patatt itself finds the signature valid."""
    return bool(patatt.validate_message(raw, [str(place)])[0][0] == patatt.RES_VALID)


def test_a_developers_signature_is_valid_and_says_what_it_covers(tmp_path: Path) -> None:
    private, public = pair()
    raw = signed(MAIL, private)
    place = keyring(tmp_path, public)
    found = told(raw, place)
    (signature,) = found.signatures
    assert found.valid
    assert by_patatt(raw, place)
    assert (signature.method, signature.who, signature.covers) == ("patatt ed25519", ANN, COVERED)
    assert signature.key == str(tmp_path / "ed25519/example.com/ann/default")
    insist([found], Policy.REQUIRE)


def test_in_an_mbox_the_line_before_it_is_no_part_of_the_mail(tmp_path: Path) -> None:
    private, public = pair()
    raw = b"From x@y Mon Sep 17 00:00:00 2001\n" + signed(MAIL, private)
    assert standing(raw, keyring(tmp_path, public)) is Standing.VALID


TAMPERED = {
    "a line of the patch": (b"+new", b"+evil"),
    "the message": (b"\nwhy\n", b"\nbecause\n"),
    "the subject": (b"mm: a", b"mm: b"),
    "the author": (b"Ann Author <ann", b"Ann Other <ann"),
    "the id": (b"<a@b>", b"<c@d>"),
    "the signature": (b"bh=", b"bh=A"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_mail_that_was_tampered_with_is_not_valid(tmp_path: Path, what: str) -> None:
    private, public = pair()
    place = keyring(tmp_path, public)
    raw = signed(MAIL, private).replace(*TAMPERED[what])
    assert standing(raw, place) is Standing.BAD
    assert not by_patatt(raw, place)
    with pytest.raises(InputError, match="no valid signature: patatt ed25519") as error:
        insist([told(raw, place)], Policy.REQUIRE)
    assert error.value.where == "here"


def test_a_key_of_somebody_else_and_one_that_nobody_has(tmp_path: Path) -> None:
    private, _ = pair()
    raw = signed(MAIL, private)
    wrong = keyring(tmp_path / "wrong", pair()[1])
    assert standing(raw, wrong) is Standing.BAD
    assert not by_patatt(raw, wrong)
    assert standing(raw, tmp_path / "empty") is Standing.NO_KEY
    assert standing(raw, tmp_path / "empty", wrong) is Standing.BAD


def test_a_good_signature_of_somebody_else_than_the_sender(tmp_path: Path) -> None:
    private, public = pair()
    raw = signed(MAIL, private, who="bea@example.org")
    place = keyring(tmp_path, public, who="bea@example.org")
    assert by_patatt(raw, place), "patatt leaves the comparison to its caller"
    assert standing(raw, place) is Standing.FOREIGN
    assert standing(raw.replace(b"Ann Author <ann@example.com>\nSubj", BEA.encode() + b"\nSubj"), place) is Standing.BAD


def test_two_signatures_by_one_identity_are_checked_each(tmp_path: Path) -> None:
    """patatt.PatattMessage.validate takes the first signature of an identity for all of them."""
    private, public = pair()
    raw = signed(MAIL, private)
    header = re.search(rb"X-Developer-Signature:.*\n(?:[ \t].*\n)*", raw)
    assert header is not None
    broken = header[0].replace(b"bh=", b"bh=A")
    both = raw.replace(header[0], header[0] + broken)
    assert [each.standing for each in told(both, keyring(tmp_path, public)).signatures] == [Standing.VALID, Standing.BAD]


def test_a_second_subject_is_told(tmp_path: Path) -> None:
    private, public = pair()
    raw = signed(b"Subject: [PATCH] mm: a\n" + MAIL, private)
    (signature,) = told(raw, keyring(tmp_path, public)).signatures
    assert (signature.standing, signature.why) == (Standing.PARTIAL, "subject stands there 2 times")


@pytest.mark.parametrize("who", ["ann@..", "ann@example.com/../..", "../../x@example.com", "ann"])
def test_an_identity_that_leaves_the_keyring_has_no_key(tmp_path: Path, who: str) -> None:
    private, public = pair()
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "default").write_bytes(public)
    raw = signed(MAIL, private).replace(b"i=ann@example.com", f"i={who}".encode())
    assert standing(raw, tmp_path / "ring") in (Standing.NO_KEY, Standing.BAD)


HOSTILE = {
    "no fields": b"X-Developer-Signature: \n",
    "not base64": b"X-Developer-Signature: v=1; a=ed25519-sha256; t=1; i=ann@example.com; h=from:subject; bh=!!; b=!!\n",
    "bytes that are no text": b"X-Developer-Signature: v=1; a=\xff\xfe; i=\xff@example.com; h=from; bh=x; b=y\n",
    "an unknown algorithm": b"X-Developer-Signature: v=1; a=rot13; t=1; i=ann@example.com; h=from:subject; bh=eA==; b=eA==\n",
    "DKIM without fields": b"DKIM-Signature: x\n",
    "DKIM that names a folder": b"DKIM-Signature: v=1; a=rsa-sha256; d=..; s=..; h=from; bh=eA==; b=eA==\n",
    "a thousand": b"X-Developer-Signature: v=1; a=ed25519-sha256; i=a@b; h=from; bh=x; b=y\n" * 1000,
}


@pytest.mark.parametrize("odd", HOSTILE)
def test_hostile_headers_are_not_valid_and_never_fatal(tmp_path: Path, odd: str) -> None:
    found = told(HOSTILE[odd] + MAIL, keyring(tmp_path, pair()[1]))
    assert not found.valid
    assert 1 <= len(found.signatures) <= 10


def test_a_mail_without_a_signature(tmp_path: Path) -> None:
    found = told(MAIL, tmp_path)
    assert found.signatures == ()
    insist([found], Policy.WARN)
    with pytest.raises(InputError, match="no valid signature: no signature"):
        insist([found], Policy.REQUIRE)


@pytest.fixture
def gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """A GnuPG of our own, in which `gnupg(expiry)` makes a key of ann's; its public part comes back."""
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    past = tmp_path / "gpg-of-2020"
    past.write_text('#!/bin/sh\nexec gpg --batch --faked-system-time 20200601T000000 "$@"\n')
    past.chmod(0o700)

    def make(expiry: str = "never") -> bytes:
        monkeypatch.setattr(patatt, "GPGBIN", "gpg" if expiry == "never" else str(past))
        command = ["gpg", "--batch", "--passphrase", "", "--faked-system-time", "20200101T000000"]
        subprocess.run([*command, "--quick-gen-key", f"Ann <{ANN}>", "ed25519", "sign", expiry], check=True, capture_output=True)
        return subprocess.run(["gpg", "--batch", "--export", ANN], check=True, capture_output=True).stdout

    return make


def test_openpgp(tmp_path: Path, gnupg: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    public = gnupg()
    raw = signed(MAIL, ANN, "openpgp")
    place = keyring(tmp_path / "ring", public, "openpgp")
    assert standing(raw, place) is Standing.VALID
    assert by_patatt(raw, place)
    changed = raw.replace(b"+new", b"+evil")
    assert standing(changed, place) is Standing.BAD
    assert not by_patatt(changed, place)
    assert by_patatt(raw, tmp_path / "empty"), "patatt falls back to the user's own keys, whoever they are of"
    assert standing(raw, tmp_path / "empty") is Standing.NO_KEY


def test_openpgp_by_a_key_that_has_expired(tmp_path: Path, gnupg: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    public = gnupg("1y")
    raw = signed(MAIL, ANN, "openpgp")
    monkeypatch.setattr(patatt, "GPGBIN", "gpg")
    place = keyring(tmp_path / "ring", public, "openpgp")
    assert standing(raw, place) is Standing.BAD
    assert not by_patatt(raw, place)


def test_openssh(tmp_path: Path) -> None:
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed")
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    raw = signed(MAIL, str(key), "openssh")
    place = keyring(tmp_path / "ring", key.with_suffix(".pub").read_bytes(), "openssh")
    assert standing(raw, place) is Standing.VALID
    assert standing(raw.replace(b"+new", b"+evil"), place) is Standing.BAD


# Domains.


def rsa(folder: Path, bits: int = 2048) -> tuple[bytes, bytes]:
    """An RSA key for DKIM: private, and the DNS record of the public one."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key = folder / "rsa.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", str(key), str(bits)], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", str(key), "-pubout", "-outform", "DER"], check=True, capture_output=True)
    return key.read_bytes(), b"v=DKIM1; k=rsa; p=" + base64.b64encode(public.stdout)


def domain(raw: bytes, private: bytes, *, name: bytes = b"example.com", **options: object) -> bytes:
    """The mail with a domain's signature, made by dkimpy."""
    signer = dkim.DKIM(raw)
    kind = b"rsa-sha256" if b"RSA" in private else b"ed25519-sha256"
    made = signer.sign(b"sel", name, private, signature_algorithm=kind, **options)
    return bytes(made.replace(b"\r\n", b"\n")) + raw


def by_dkimpy(raw: bytes, record: bytes) -> bool:
    """Whether dkimpy itself finds the first signature valid."""
    return bool(dkim.verify(raw, dnsfunc=lambda name, timeout=5: record))


def record(folder: Path, text: bytes, name: str = "example.com") -> Path:
    """A keyring with the DNS record of a domain's key."""
    path = folder / "dkim" / name / "sel"
    path.parent.mkdir(parents=True)
    path.write_bytes(text + b"\n")
    return folder


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_domains_signature(tmp_path: Path, kind: str) -> None:
    private, public = pair() if kind == "ed25519" else rsa(tmp_path)
    text = public if kind == "rsa" else b"v=DKIM1; k=ed25519; p=" + public
    raw = domain(MAIL, private)
    place = record(tmp_path / "ring", text)
    found = told(raw, place)
    (signature,) = found.signatures
    assert found.valid
    assert by_dkimpy(raw, text)
    assert (signature.method, signature.who) == (f"dkim {kind}-sha256", "@example.com")
    assert {"from", "subject", "body"} <= set(signature.covers)
    for old, new in ((b"+new", b"+evil"), (b"mm: a", b"mm: b"), (b"Ann Author <", b"Ann Other <")):
        changed = raw.replace(old, new)
        assert not by_dkimpy(changed, text)
        assert standing(changed, place) is Standing.BAD
    assert standing(raw, tmp_path / "empty") is Standing.NO_KEY
    assert standing(raw, record(tmp_path / "other", b"v=DKIM1; k=ed25519; p=" + pair()[1])) is Standing.BAD
    assert standing(raw, record(tmp_path / "nonsense", b"v=DKIM1; k=rsa; p=AAAA")) is Standing.BAD


def test_dns_is_asked_only_where_it_is_given_and_its_answer_is_kept(tmp_path: Path) -> None:
    private, public = pair()
    raw = domain(MAIL, private)
    asked: list[bytes] = []

    def dns(name: bytes) -> bytes:
        asked.append(name)
        return b"v=DKIM1; k=ed25519; p=" + public

    keys = Keys([], dns)
    (found,) = attest([Found("here", raw)], keys)
    assert found.valid
    assert asked == [b"sel._domainkey.example.com."]
    assert keys.used == {"dkim/example.com/sel": b"v=DKIM1; k=ed25519; p=" + public}
    assert told(raw, dns=lambda name: None).signatures[0].standing is Standing.NO_KEY


def test_a_signature_of_another_domain_is_not_the_senders(tmp_path: Path) -> None:
    private, public = pair()
    text = b"v=DKIM1; k=ed25519; p=" + public
    raw = domain(MAIL, private, name=b"list.example.net")
    assert by_dkimpy(raw, text)
    assert standing(raw, record(tmp_path, text, "list.example.net")) is Standing.FOREIGN


OPEN = {
    "the end of the body": ({"length": True}, lambda raw: raw + b"more\n", "bytes of the body"),
    "a second subject": (
        {},
        lambda raw: raw.replace(b"Subject:", b"Subject: [PATCH] evil\nSubject:", 1),
        "subject stands there 2",
    ),
    "the encoding": (
        {"include_headers": [b"from", b"subject"]},
        lambda raw: b"Content-Transfer-Encoding: quoted-printable\n" + raw,
        "content-transfer-encoding is not signed",
    ),
    "the subject": ({"include_headers": [b"from"]}, lambda raw: raw.replace(b"mm: a", b"mm: b"), "subject is not signed"),
}


@pytest.mark.parametrize("what", OPEN)
def test_what_dkim_leaves_open_is_told(tmp_path: Path, what: str) -> None:
    """dkimpy finds each of these changed mails valid, as the RFC has it; git would apply something that nobody signed."""
    options, change, why = OPEN[what]
    private, public = pair()
    text = b"v=DKIM1; k=ed25519; p=" + public
    raw = change(domain(MAIL, private, **options))
    assert by_dkimpy(raw, text)
    (signature,) = told(raw, record(tmp_path, text)).signatures
    assert signature.standing is Standing.PARTIAL
    assert why in signature.why


def test_a_domains_signature_that_has_expired(tmp_path: Path) -> None:
    """dkimpy makes none with an end, so the field is put in; it looks at the end before the cryptography."""
    private, public = pair()
    raw = domain(MAIL, private).replace(b"; s=sel;", b"; s=sel; x=1300000000;", 1)
    raw = re.sub(rb"\bt=\d+", b"t=1250000000", raw, count=1)
    assert b"x=1300000000" in raw
    assert time.time() > 1_300_000_000
    place = record(tmp_path, b"v=DKIM1; k=ed25519; p=" + public)
    assert standing(raw, place) is Standing.EXPIRED


def test_without_the_libraries_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    private, public = pair()
    raw = signed(domain(MAIL, private), private)
    monkeypatch.setitem(__import__("sys").modules, "patatt", None)
    monkeypatch.setitem(__import__("sys").modules, "dkim", None)
    found = told(raw, keyring(tmp_path, public))
    assert [each.standing for each in found.signatures] == [Standing.UNCHECKED] * 2
    assert "pip install 'backport[attest]'" in str(found)
