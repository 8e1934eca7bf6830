"""Why Kerberos has no ticket for us, in its own words."""

from __future__ import annotations

import importlib
import re

_MINOR = re.compile(r".*Minor \(\d+\): (.*)", re.DOTALL)


def missing(principal: str | None = None, keytab: str | None = None) -> str:
    """What keeps Kerberos from giving us credentials ("Cannot contact any KDC"); '' for nothing.

    '' as well where gssapi is not installed: then whoever asked has an error of their own.
    """
    try:
        gssapi = importlib.import_module("gssapi")
    except ImportError:
        return ""
    try:
        name = gssapi.Name(principal, gssapi.NameType.kerberos_principal) if principal else None
        store = {"client_keytab": keytab} if keytab else None
        # The lifetime is looked up in the ticket itself: that fetches one by the keytab, which the constructor alone puts off.
        return "" if gssapi.Credentials(usage="initiate", name=name, store=store).lifetime else "the ticket has expired"
    except gssapi.exceptions.GSSError as error:
        found = _MINOR.match(str(error))
        return found[1] if found else str(error)
