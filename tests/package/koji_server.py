"""Serves Koji's own hub on loopback: its WSGI application behind TLS, with what Apache's mod_ssl and mod_auth_gssapi would set.

    python koji_server.py HUB.CONF CA SERVER.PEM PORT_FILE

A process of its own: it runs as the unprivileged user that owns the database, with the checkout of Koji and rpm's bindings in
PYTHONPATH, and ends when its standard input does.
"""

from __future__ import annotations

import io
import os
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

Environ = dict[str, Any]
Start = Callable[..., Any]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer asks DNS for a name
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()


class Handler(WSGIRequestHandler):
    def get_environ(self) -> Environ:
        found = super().get_environ()
        subject = dict(pair[0] for pair in (self.connection.getpeercert() or {}).get("subject", ()))
        if subject:
            name = subject["commonName"]
            found |= {"SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN_CN": name, "SSL_CLIENT_S_DN": f"/CN={name}"}
        return found | {"wsgi.url_scheme": "https", "REMOTE_PORT": str(self.client_address[1])}

    def address_string(self) -> str:
        return "127.0.0.1"

    def log_message(self, *_: object) -> None:
        pass


ServerHandler.server_software = "loopback"


def negotiated(application: Callable[[Environ, Start], Iterable[bytes]]) -> Callable[[Environ, Start], Iterable[bytes]]:
    """What mod_auth_gssapi does before /ssllogin: a client without a certificate is asked for a ticket."""

    def answer(environ: Environ, start: Start) -> Iterable[bytes]:
        said = environ.get("HTTP_AUTHORIZATION", "")
        # The hub reads to the end of the input, which Apache ends with the request and wsgiref does not.
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)))
        if not environ["PATH_INFO"].endswith("/ssllogin") or "SSL_CLIENT_VERIFY" in environ or "KRB5_KTNAME" not in os.environ:
            return application(environ, start)
        if not said.startswith("Negotiate "):
            start("401 Unauthorized", [("WWW-Authenticate", "Negotiate"), ("Content-Length", "0")])
            return [b""]
        from tests.package import kerberos

        principal, reply = kerberos.accept(said)

        def start_with(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            return start(status, [*headers, ("WWW-Authenticate", reply)], *rest)

        return application(environ | {"REMOTE_USER": principal}, start_with)

    return answer


def main(config: str, authority: str, certificate: str, port_file: str) -> None:
    from kojihub.app.kojiapp import application

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = Server(("127.0.0.1", 0), Handler)
    server.base_environ |= {"koji.hub.ConfigFile": config, "koji.hub.ConfigDir": f"{config}.d"}
    server.set_app(negotiated(application))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Path(port_file + ".new").write_text(str(server.server_port))
    Path(port_file + ".new").rename(port_file)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
