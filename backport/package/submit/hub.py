"""One session with a Koji hub, through Koji's own client, with every failure as an error that says what to do.

koji is an optional extra, imported only when somebody submits: it wants gssapi, which wants the headers of Kerberos.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from backport.model.errors import EnvironmentFailedError, InputError, MissingToolError
from backport.package.submit import ticket

_INSTALL = "pip install 'backport[koji]' (needs libkrb5-dev or krb5-devel), or dnf install python3-koji"
_RETRIES, _INTERVAL, _TIMEOUT = 3, 2, 120


class Hub:
    """A hub as one profile of koji.conf names it. Methods are the hub's own, by `call`."""

    def __init__(self, profile: str, config: Path | None = None) -> None:
        self._koji = client()
        try:
            self.config: dict[str, Any] = self._koji.read_config(profile, str(config) if config else None)
        except (self._koji.ConfigurationError, OSError, ValueError) as error:
            raise InputError(
                f"koji.conf has no usable profile {profile}: {_said(error)}",
                where="/etc/koji.conf, /etc/koji.conf.d, ~/.koji/config",
                then="name one that is there with --koji, or write it",
            ) from error
        options = self._koji.grab_session_options(self.config)
        # A call that is tried again for ten minutes looks like a hang; a task, once it has its number, survives us anyway.
        options |= {
            "max_retries": min(_RETRIES, self.config["max_retries"]),
            "retry_interval": min(_INTERVAL, self.config["retry_interval"]),
            "timeout": min(_TIMEOUT, self.config["timeout"]),
            "anon_retry": False,
            "use_fast_upload": True,
        }
        logging.getLogger("koji").setLevel(logging.CRITICAL)  # it prints tracebacks of what we say in one sentence
        self._session = self._koji.ClientSession(self.config["server"], options)

    def login(self) -> str:
        """Log in as the profile says (gssapi or ssl); the name that the hub knows us by."""
        kind = self.config.get("authtype") or ("ssl" if self.config.get("cert") else "gssapi")
        with self._errors("the login failed"):
            if kind == "ssl":
                self._session.ssl_login(self.config["cert"], None, self.config.get("serverca") or None)
            elif kind in ("gssapi", "kerberos"):
                self._by_ticket(self.config.get("principal"), self.config.get("keytab"))
            else:
                raise InputError(f"the profile's authtype {kind} gives no login", then="set authtype = ssl or gssapi")
            user = self._session.getLoggedInUser()
        if not user:
            raise EnvironmentFailedError("the hub does not know who we are after the login", where=self.server, then="run kinit")
        return str(user.get("name", ""))

    def _by_ticket(self, principal: str | None, keytab: str | None) -> None:
        """Log in with Kerberos. The client only says that the hub answered 401; why there was no ticket, Kerberos knows."""
        try:
            self._session.gssapi_login(principal=principal, keytab=keytab)
        except self._koji.GSSAPIAuthError as error:
            if "401" in str(error) and (why := ticket.missing(principal, keytab)):
                then = "look at keytab and principal in koji.conf" if keytab else "run kinit"
                raise EnvironmentFailedError(f"there is no Kerberos ticket: {why}", where=self.server, then=then) from error
            raise

    def call(self, method: str, *arguments: object, **options: object) -> Any:
        """One call of the hub."""
        with self._errors(f"the call {method} failed"):
            return getattr(self._session, method)(*arguments, **options)

    def upload(self, path: Path, folder: str, moved: Callable[[int, int], None]) -> None:
        """Upload a file into the hub's `folder`, summed piece by piece; `moved` hears bytes done and bytes in all."""
        with self._errors("the upload failed"):
            self._session.uploadWrapper(str(path), folder, callback=lambda done, total, *_: moved(done, total))

    def result(self, task: int) -> str:
        """'' for a task that ended well, else what the builder said."""
        try:
            self._session.getTaskResult(task)
        except self._koji.GenericError as error:
            return _said(error)
        return ""

    def state(self, number: int) -> str:
        """The name of a task's state: FREE, OPEN, CLOSED, CANCELED, ASSIGNED, FAILED."""
        names = {value: name for name, value in self._koji.TASK_STATES.items()}
        return str(names.get(number, number))

    def url(self, task: int) -> str:
        """The page on which people follow the task."""
        return f"{str(self.config.get('weburl', '')).rstrip('/')}/taskinfo?taskID={task}"

    @property
    def server(self) -> str:
        """Where the hub is."""
        return str(self.config["server"])

    def close(self) -> None:
        """End the session; a hub that is gone does not matter any more."""
        with suppress(Exception):
            self._session.logout()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        requests = importlib.import_module("requests")
        try:
            yield
        except (self._koji.AuthError, self._koji.GSSAPIAuthError) as error:
            if _CONNECTION.search(str(error)) and "SSLError" not in str(error):  # the client wraps what it met, as text
                raise _lost(self.server, what, error) from error
            then = "run kinit, or look at cert and serverca in koji.conf"
            raise EnvironmentFailedError(f"the hub rejects the login: {_said(error)}", where=self.server, then=then) from error
        except self._koji.PythonImportError as error:
            raise MissingToolError("the login needs requests-gssapi", then=_INSTALL) from error
        except (requests.exceptions.RequestException, self._koji.RetryError, OSError) as error:
            raise _lost(self.server, what, error) from error
        except self._koji.GenericError as error:
            raise EnvironmentFailedError(f"{what}: {_said(error)}", where=self.server) from error


_AGAIN = "the same command with --resume goes on where it stopped"


_CONNECTION = re.compile(r"ConnectionError|Timeout|ConnectionReset|BadStatusLine|RemoteDisconnected")


class LostConnectionError(EnvironmentFailedError):
    """The hub is down, too slow, or went away in the middle."""


def _lost(server: str, what: str, error: BaseException) -> LostConnectionError:
    return LostConnectionError(f"{what}, the hub does not answer: {_said(error)}", where=server, then=_AGAIN)


def client() -> ModuleType:
    """Koji's client library. MissingToolError where it is not installed."""
    try:
        return importlib.import_module("koji")
    except ImportError as error:
        raise MissingToolError("the Koji client is not installed", then=_INSTALL) from error


_ADVERTISED = "Use following documentation"  # the client's last line for each login by ticket that failed, whatever the reason


def _said(error: BaseException) -> str:
    """The last line of what an error says that says anything, at most 300 characters."""
    lines = [line.strip() for line in str(error).splitlines() if any(letter.isalnum() for letter in line)]
    lines = [line for line in lines if not line.startswith(_ADVERTISED)] or lines
    return (lines[-1] if lines else type(error).__name__)[:300]
