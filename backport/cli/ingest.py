"""`backport ingest SOURCE`: what series there are in mail, and the life of one."""

from __future__ import annotations

import sys

import click

from backport.cli import STATUS_HELP, signed


@click.command(epilog=STATUS_HELP)
@click.argument("source")
@click.option("--list", "listed", is_flag=True, help="List every series, one row a revision.")
@click.option("--series", "wanted", metavar="ID", help="Show one: the Message-ID of any of its mails, or words of its title.")
@click.option("--guard", "guards", multiple=True, metavar="NAME", help="A guard that holds in a quilt series (may be repeated).")
@signed.options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(
    source: str,
    listed: bool,
    wanted: str | None,
    guards: tuple[str, ...],
    attestation: str,
    keyrings: tuple[str, ...],
    dns: bool,
    as_json: bool,
) -> int:
    """Read SOURCE and say which series it holds.

    SOURCE is an mbox (or .gz), a maildir, a mail, a folder of patches, a quilt series, a public-inbox archive (a folder; what
    was read before is not read again), a Message-ID or URL at lore.kernel.org, or commits as the mails that they would be:
    A..B (of the repository here), REPOSITORY#A..B, REPOSITORY#BRANCH (what no other branch or tag has).

    Exit status 1 where a mail was refused.

    With --series and --attestation it is said of each patch who signed it; `require` asks for a valid signature of each patch of
    the last revision.
    """
    from backport.ingest.mail import lives
    from backport.ingest.mail.source import open_mails
    from backport.model.mail import Lineage
    from backport.report import mail
    from backport.report.console import Console
    from backport.settings import cache_folder

    with Console(quiet=as_json) as console, open_mails(source, cache_folder(), console, guards) as mails:
        refused = mails.archive.refused()
        if wanted is not None:
            found = [lives.life(mails.archive, wanted)]
        elif listed or as_json:
            revisions = lives.all_revisions(mails.archive)
            links = {link.later: link for link in lives.all_links(revisions)}
            found = [Lineage((each,), tuple(filter(None, [links.get(each.identity)]))) for each in revisions]
        else:
            found = []
        told = signed.check(attestation, mails.read, found[0], keyrings, dns=dns) if wanted is not None else {}
        lacking = (
            [p for p in found[0].revisions[-1].posts if not told[p.message_id].valid] if attestation == "require" and told else []
        )
        if as_json:
            sys.stdout.buffer.write(mail.dump(found, refused, tuple(told.values())))
            return int(bool(refused or lacking))
        if wanted is not None:
            console.show(mail.life_tree(found[0], attested=told))
        elif listed:
            console.show(mail.series_list(revisions, links))
        if refused:
            console.show(mail.refused_view(refused))
        console.show_text(_summary(mails.archive.count(), mails.new, mails.archive.count_threads(), len(refused)))
        if lacking:
            console.show_text(f"{len(lacking)} patches have no valid signature")
    return int(bool(refused or lacking))


def _summary(count: int, new: int, threads: int, refused: int) -> str:
    told = f"{count} mails ({new} new), {threads} threads with patches"
    return told + (f", {refused} refused" if refused else "")
