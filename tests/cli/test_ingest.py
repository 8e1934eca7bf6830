"""`backport ingest` and `series new --from`, from mails of our own to a package."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path

import pytest

from backport.ingest.definition import load
from tests.cli.test_bad_input import backport
from tests.gitrepo import Repo, numbered

MAKEFILE = b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION =\n"


def posted(repo: Repo, folder: Path, *options: str) -> tuple[str, Path]:
    """A target, and an mbox of three patches that were made on its parent, as git format-patch writes it."""
    base = repo.commit({b"Makefile": MAKEFILE, b"mm/a.c": numbered(20), b"mm/b.c": numbered(20)}, b"base\n")
    at = base
    for number, path in enumerate((b"mm/a.c", b"mm/b.c", b"mm/a.c"), 1):
        at = repo.on(
            at, {path: numbered(20, **{f"l{3 * number}": b"changed %d" % number})}, b"mm: change %d of three\n\nwhy\n" % number
        )
    target = repo.on(base, {b"mm/b.c": numbered(20, l20=b"the target's own")}, b"target\n")
    repo.branch("posted-on", base)
    repo.branch("target", target)
    box = folder / "series.mbox"
    box.write_bytes(repo.git("format-patch", "--stdout", "-n", *options, f"{base}..{at}"))
    return base, box


def test_from_an_mbox_to_a_run(repo: Repo, tmp_path: Path) -> None:
    base, box = posted(repo, tmp_path)
    kernel = ("--kernel", str(repo.path))
    done = backport("series", "new", "three", "--from", str(box), *kernel, "--onto", "target", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "newest commit with all blobs" in done.stdout
    definition = load(tmp_path / "patches" / "three" / "series.toml")
    assert definition.base == base
    assert [row.subject for row in definition.commits] == [f"mm: change {n} of three" for n in (1, 2, 3)]
    ran = backport("run", "three", *kernel, "--no-srpm", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads((tmp_path / "build" / "three" / "report.json").read_bytes())
    assert [patch["verdict"] for patch in report["patches"]] == ["exact", "merged", "exact"]
    assert backport("drift", "three", *kernel, cwd=tmp_path).returncode == 0


def test_a_mail_that_was_changed_afterwards_is_found_out(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    kernel = ("--kernel", str(repo.path))
    assert backport("series", "new", "three", "--from", str(box), *kernel, "--onto", "target", cwd=tmp_path).returncode == 0
    mail = tmp_path / "patches/three/mails/0002-mm-change-2-of-three.patch"
    mail.write_bytes(mail.read_bytes().replace(b"+changed 2", b"+changed by somebody"))
    done = backport("run", "three", *kernel, "--no-srpm", cwd=tmp_path)
    assert done.returncode == 2
    assert "0002-mm-change-2-of-three.patch makes the commit" in done.stderr


def test_a_series_that_does_not_apply_leaves_nothing(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    box.write_bytes(box.read_bytes().replace(b"-line 6\n", b"-line six\n"))
    done = backport("series", "new", "three", "--from", str(box), "--kernel", str(repo.path), "--onto", "target", cwd=tmp_path)
    assert done.returncode == 2
    assert "series.mbox#2:" in done.stderr
    assert "patch failed: mm/b.c:3" in done.stderr
    assert not (tmp_path / "patches" / "three").exists()


def test_the_base_that_a_mail_names_is_taken(repo: Repo, tmp_path: Path) -> None:
    base, box = posted(repo, tmp_path, f"--base={'posted-on'}")
    done = backport("series", "new", "three", "--from", str(box), "--kernel", str(repo.path), "--onto", "target", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "base-commit, 2 of 2 files as posted" in done.stdout
    assert load(tmp_path / "patches/three/series.toml").base == base


def test_what_nothing_has_is_applied_to_the_nearest(repo: Repo, tmp_path: Path) -> None:
    """The blobs are in the clone, but no commit has both: the nearest with them put in is the same each time."""
    _, box = posted(repo, tmp_path)
    other = Repo.make(tmp_path / "other.git")
    first = other.commit({b"Makefile": MAKEFILE, b"mm/a.c": numbered(20), b"mm/b.c": b"x\n"}, b"one\n")
    second = other.on(first, {b"mm/a.c": b"y\n", b"mm/b.c": numbered(20)}, b"two\n")
    other.branch("target", second)
    kernel = ("--kernel", str(other.path))
    done = backport("series", "new", "three", "--from", str(box), *kernel, "--onto", "target", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "nearest, 1 of 2 files as posted" in done.stdout
    assert backport("run", "three", *kernel, "--no-srpm", cwd=tmp_path).returncode == 1


def test_ingest_lists_shows_and_writes_json(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    listed = backport("ingest", str(box), "--list", cwd=tmp_path)
    assert listed.returncode == 0
    assert "3/3" in listed.stdout
    shown = backport("ingest", str(box), "--series", "change 2", cwd=tmp_path)
    assert "mm: change 3 of three" in shown.stdout
    (series,) = json.loads(backport("ingest", str(box), "--json", cwd=tmp_path).stdout)["series"]
    assert [post["label"]["number"] for post in series["revisions"][0]["posts"]] == [1, 2, 3]


def test_a_refused_mail_is_told_and_the_rest_kept(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    box.write_bytes(b"From x Mon Sep 17 00:00:00 2001\nSubject: " + b"x" * (1 << 20) + b"\n\n" + box.read_bytes())
    done = backport("ingest", str(box), cwd=tmp_path)
    assert done.returncode == 1
    assert "series.mbox#1" in done.stdout
    assert "its headers are longer" in " ".join(done.stdout.split())
    assert "3 mails" in done.stdout


@pytest.mark.parametrize("words", [("--from", "nothing-there"), (), ("--from", "x", "--commits", "a..b")])
def test_wrong_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = backport("series", "new", "n", *words, "--kernel", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_quilt_with_strip_levels(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"Makefile": MAKEFILE, b"mm/a.c": numbered(20)}, b"base\n")
    repo.branch("target", base)
    folder = tmp_path / "q" / "patches"
    folder.mkdir(parents=True)
    rows = numbered(20).decode().splitlines(keepends=True)
    for number, prefix in enumerate(("x.orig/", "", "x/y/"), 1):
        at = number * 5 - 1
        before, after = "".join(f" {row}" for row in rows[at - 3 : at]), "".join(f" {row}" for row in rows[at + 1 : at + 4])
        hunk = f"@@ -{at - 2},7 +{at - 2},7 @@\n{before}-{rows[at]}+changed by quilt\n{after}"
        (folder / f"p{number}.patch").write_text(f"patch {number} of quilt\n\n--- {prefix}mm/a.c\n+++ {prefix}mm/a.c\n{hunk}")
    (folder / "series").write_text("p1.patch\np2.patch -p0\np3.patch -p2\n")
    kernel = ("--kernel", str(repo.path))
    done = backport("series", "new", "quilted", "--from", str(tmp_path / "q"), *kernel, "--onto", "target", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row.strip for row in load(tmp_path / "patches/quilted/series.toml").commits] == [1, 0, 2]
    assert backport("run", "quilted", *kernel, "--no-srpm", cwd=tmp_path).returncode == 0


def attested(box: Path, ring: Path) -> None:
    """Sign every mail of an mbox with a key of the moment, which lies in a keyring afterwards."""
    patatt = pytest.importorskip("patatt", reason="patatt is not installed (pip install 'backport[attest]')")
    signing = pytest.importorskip("nacl.signing", reason="PyNaCl is not installed (pip install 'backport[attest]')")
    key = signing.SigningKey.generate()
    made = []
    for mail in re.split(rb"(?m)^(?=From [0-9a-f]{40} )", box.read_bytes())[1:]:
        line, _, raw = mail.partition(b"\n")
        signed = patatt.PatattMessage(raw)
        signed.sign("ed25519", base64.b64encode(bytes(key)), None, None)
        made.append(line + b"\n" + signed.as_bytes())
        path = ring / patatt.make_pkey_path("ed25519", signed.canon_identity, "default")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64encode(key.verify_key.encode()))
    box.write_bytes(b"".join(made))


def test_signatures_are_required_shown_kept_and_in_the_report(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    kernel = ("--kernel", str(repo.path), "--onto", "target")
    new = ("series", "new", "three", "--from", str(box), *kernel, "--attestation", "require", "--keyring")
    refused = backport(*new, str(tmp_path / "ring"), cwd=tmp_path)
    assert refused.returncode == 2
    assert "the mail has no valid signature: no signature (and 2 more)" in " ".join(refused.stderr.split())
    assert not (tmp_path / "patches" / "three").exists()
    attested(box, tmp_path / "ring")
    shown = backport("ingest", str(box), "--series", "change 2", "--attestation", "warn", "--keyring", "ring", cwd=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.count("signed: patatt ed25519") == 3
    strict = backport("ingest", str(box), "--series", "change 2", "--attestation", "require", "--json", cwd=tmp_path)
    assert strict.returncode == 1
    assert [each["signatures"][0]["standing"] for each in json.loads(strict.stdout)["attested"]] == ["no key"] * 3
    done = backport(*new, "ring", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tmp_path / "ring")
    ran = backport("run", "three", "--kernel", str(repo.path), "--no-srpm", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "build/three/report.json").read_bytes())
    assert [found["kind"] for found in report["findings"]] == ["signed"] * 3
    assert "(covers from, subject, body; keys/ed25519/" in report["findings"][0]["upstream"]
    verified = backport("verify", "build/three", "--kernel", str(repo.path), cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    shutil.rmtree(tmp_path / "patches/three/keys")
    assert "the key is not at hand" in " ".join(backport("run", "three", *kernel, "--no-srpm", cwd=tmp_path).stderr.split())
    toml = tmp_path / "patches/three/series.toml"
    toml.write_text(toml.read_text().replace('"require"', '"warn"'))
    assert backport("run", "three", *kernel, "--no-srpm", cwd=tmp_path).returncode == 0
    report = json.loads((tmp_path / "build/three/report.json").read_bytes())
    assert [(found["kind"], found["level"]) for found in report["findings"]] == [("not-signed", "warning")] * 3


def test_from_a_branch_to_a_run(repo: Repo, tmp_path: Path) -> None:
    base, _ = posted(repo, tmp_path)
    at = repo.on(base, {b"mm/a.c": numbered(20, l3=b"changed")}, b"mm: on a branch\n")
    repo.branch("topic", repo.on(at, {b"mm/b.c": numbered(20, l5=b"changed")}, b"mm: again\n"))
    source = f"{repo.path}#posted-on..topic"
    assert "2/2" in backport("ingest", source, "--list", cwd=tmp_path).stdout
    kernel = ("--kernel", str(repo.path), "--onto", "target")
    done = backport("series", "new", "branched", "--from", source, *kernel, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "base-commit, 2 of 2 files as posted" in done.stdout
    assert backport("run", "branched", *kernel, "--no-srpm", cwd=tmp_path).returncode == 0


def test_what_replies_gave_is_in_the_commits_each_time(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path, "--thread=shallow")
    identity = re.findall(rb"Message-I[dD]: <([^>]+)>", box.read_bytes())[1]
    heads = b"From x Mon Sep 17 00:00:00 2001\nFrom: Bea <bea@example.org>\nSubject: Re: [PATCH 2/3] mm: change 2 of three\n"
    heads += b"Date: Thu, 10 Sep 2009 00:00:00 +0000\nMessage-ID: <r@x>\nIn-Reply-To: <%s>\n\n" % identity
    box.write_bytes(box.read_bytes() + heads + b"Reviewed-by: Bea <bea@example.org>\nAcked-by: Cy <cy@example.net>\n")
    new = ("series", "new", "three", "--from", str(box), "--kernel", str(repo.path), "--onto", "target")
    done = backport(*new, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "1 trailers from replies" in shown
    assert "Acked-by: Cy <cy@example.net> is left out: the address cy@example.net is not the sender's" in shown
    definition = load(tmp_path / "patches/three/series.toml")
    assert [row.trailers for row in definition.commits] == [(), ("Reviewed-by: Bea <bea@example.org>",), ()]
    ran = backport("run", "three", "--kernel", str(repo.path), "--no-srpm", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    (patch,) = (tmp_path / "build/three/patches").glob("*change-2*")
    assert b"\n\nwhy\n\nReviewed-by: Bea <bea@example.org>\n" in patch.read_bytes()
    assert backport(*new, "--no-trailers", "--patches", "plain", cwd=tmp_path).returncode == 0
    plain = load(tmp_path / "plain/three/series.toml")
    assert plain.commits[0].commit == definition.commits[0].commit
    assert plain.commits[2].commit != definition.commits[2].commit


def test_a_name_that_is_no_utf8_is_shown_as_it_can_be(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "caf\udce9").mkdir()
    (tmp_path / "caf\udce9" / "m\udce9.eml").write_bytes(posted(repo, tmp_path)[1].read_bytes())
    done = backport("ingest", "caf\udce9", "--list", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["series"][0]["revisions"][0]["posts"][0]["where"].startswith("caf\\xe9/m\\xe9.eml#")


def test_what_is_neither_file_nor_folder_is_no_source(tmp_path: Path) -> None:
    done = backport("ingest", "/dev/null", "--list", cwd=tmp_path)
    assert done.returncode == 2
    assert "neither a file nor a folder" in done.stderr


def based(repo: Repo, folder: Path) -> tuple[list[str], Path]:
    """A base, two prerequisites above it, and a patch that needs them, with what format-patch --base says of them."""
    commits = [repo.commit({b"Makefile": MAKEFILE, b"mm/a.c": numbered(20), b"mm/b.c": numbered(20)}, b"base\n")]
    for number in (1, 2):
        rows = numbered(20, **{f"l{n}": b"needed" for n in range(1, number + 1)})
        commits.append(repo.on(commits[-1], {b"mm/a.c": rows}, b"mm: needed %d\n" % number))
    commits.append(repo.on(commits[-1], {b"mm/a.c": numbered(20, l1=b"needed", l2=b"needed", l3=b"mine")}, b"mm: mine\n"))
    repo.branch("target", commits[0])
    box = folder / "mine.mbox"
    box.write_bytes(repo.git("format-patch", "--stdout", f"--base={commits[0]}", f"{commits[2]}..{commits[3]}"))
    assert box.read_bytes().count(b"prerequisite-patch-id: ") == 2
    return commits, box


def test_prerequisites_that_a_history_has_are_the_base(repo: Repo, tmp_path: Path) -> None:
    commits, box = based(repo, tmp_path)
    repo.branch("next", commits[2])
    done = backport("series", "new", "mine", "--from", str(box), "--kernel", str(repo.path), "--onto", "target", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert f"is commit {commits[1][:12]} (mm: needed 1)" in shown
    assert "prerequisite-patch-id, 1 of 1 files as posted" in shown
    assert load(tmp_path / "patches/mine/series.toml").base == commits[2]


def test_prerequisites_that_nothing_has_are_named(repo: Repo, tmp_path: Path) -> None:
    commits, box = based(repo, tmp_path)
    raw = box.read_bytes().replace(b"base-commit", b"prerequisite-change-id: 20240101-needed-123456789abc:v2\nbase-commit")
    box.write_bytes(raw)
    done = backport("series", "new", "mine", "--from", str(box), "--kernel", str(repo.path), "--onto", "target", cwd=tmp_path)
    shown = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stderr
    assert shown.count("is in no history given here, nor among the mails") == 3
    assert "change-id 20240101-needed-123456789abc:v2 is in no history" in shown
    assert load(tmp_path / "patches/mine/series.toml").base == commits[0]
    posts = repo.git("format-patch", "--stdout", "--thread=shallow", f"{commits[0]}..{commits[2]}")
    box.write_bytes(posts + raw)
    done = backport("series", "new", "mine", "--from", str(box), "--series", "mm: mine", "--kernel", str(repo.path),
                    "--onto", "target", "--patches", "again", cwd=tmp_path)  # fmt: skip
    assert " ".join(done.stdout.split()).count("was posted as ") == 2, done.stdout + done.stderr


@pytest.mark.parametrize("said", ["prerequisite-patch-id", "prerequisite-message-id", "Depends-on"])
def test_prerequisites_that_were_only_posted_are_put_in_front(repo: Repo, tmp_path: Path, said: str) -> None:
    """Without the option the refusal says what is lacking; with it they are the first patches, and a run applies them."""
    commits, box = based(repo, tmp_path)
    posts = repo.git("format-patch", "--stdout", "--thread=shallow", f"{commits[0]}..{commits[2]}")
    raw = box.read_bytes()
    if said != "prerequisite-patch-id":
        (first,) = re.findall(rb"^Message-Id: (<\S+>)", posts.partition(b"PATCH 2/2")[0], re.M | re.I)[:1]
        raw = re.sub(rb"(?:prerequisite-patch-id: \S+\n)+", said.encode() + b": " + first + b"\n", raw)
    box.write_bytes(posts + re.sub(rb"^index .*\n", b"", raw, flags=re.M))
    new = ("series", "new", "mine", "--from", str(box), "--series", "mm: mine", "--kernel", str(repo.path), "--onto", "target")
    repo.branch("target", commits[0])
    refused = backport(*new, cwd=tmp_path)
    assert refused.returncode == 2
    assert "it needs 2 patches that were only posted (mm: needed 1 ...): add --with-prerequisites" in " ".join(
        refused.stderr.split()
    )
    assert not (tmp_path / "patches").exists()
    done = backport(*new, "--with-prerequisites", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kind = "patch" if said == "prerequisite-patch-id" else "message"
    assert f"prerequisite: {kind}-id" in done.stdout
    assert "put in front" in " ".join(done.stdout.split())
    rows = load(tmp_path / "patches/mine/series.toml").commits
    assert [row.subject for row in rows] == ["mm: needed 1", "mm: needed 2", "mm: mine"]
    ran = backport("run", "mine", "--kernel", str(repo.path), "--no-srpm", "--quiet", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr


def test_hidden_characters_are_taken_only_where_they_are_allowed(repo: Repo, tmp_path: Path) -> None:
    _, box = posted(repo, tmp_path)
    box.write_bytes(box.read_bytes().replace(b"+changed 2", "+chan\u202eged 2".encode()))
    new = ("series", "new", "three", "--from", str(box), "--kernel", str(repo.path), "--onto", "target")
    done = backport(*new, cwd=tmp_path)
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "an added line hides the character U+202E" in said
    assert "series.mbox#2:" in said
    assert not (tmp_path / "patches").exists()
    assert backport(*new, "--allow-hidden", cwd=tmp_path).returncode == 0
