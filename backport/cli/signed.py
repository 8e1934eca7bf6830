"""The options that say whether and how the signatures of mails are checked, for every command that reads mail."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from backport.ingest.mail.boxes import Found
    from backport.model.attestation import Attested
    from backport.model.mail import Lineage

_Command = TypeVar("_Command", bound=Callable[..., object])
_POLICIES = ("off", "warn", "require")


def options(command: _Command) -> _Command:
    """`--attestation`, `--keyring` and `--dns`, as the parameters `attestation`, `keyrings` and `dns`."""
    for option in (
        click.option("--dns", is_flag=True, help="Ask the DNS for a domain's (DKIM) key that no keyring has."),
        click.option(
            "--keyring", "keyrings", multiple=True, metavar="DIR", help="Public keys [default: .keys, git's, patatt's]."
        ),
        click.option(
            "--attestation",
            type=click.Choice(_POLICIES),
            default="off",
            show_default=True,
            help="Check signatures (patatt, DKIM): tell of them, or refuse a patch without a valid one.",
        ),
    ):
        command = option(command)
    return command


def places(given: tuple[str, ...]) -> tuple[str, ...]:
    """The keyrings to look in: those given, else `.keys` here, `patatt.keyringsrc` of the user's git, patatt's own folder."""
    if given:
        return given
    from backport.git.runner import user_values

    data = os.environ.get("XDG_DATA_HOME", "") or str(Path.home() / ".local" / "share")
    return (".keys", *user_values("patatt.keyringsrc"), f"{data}/patatt/public")


def check(
    policy: str, read: Callable[[Sequence[str]], list[Found]], found: Lineage, keyrings: tuple[str, ...], *, dns: bool
) -> dict[str, Attested]:
    """Who signed each patch of a series, by message-id; nothing where the policy is off."""
    if policy == "off":
        return {}
    from backport.ingest.mail.attest import Keys, attest_series, dns_text

    return attest_series(read, found, Keys(places(keyrings), dns_text if dns else None))
