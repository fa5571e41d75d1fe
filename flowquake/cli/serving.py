"""``--serve``: what a run does, over HTTP, to those who may know."""

from __future__ import annotations

import hmac
import ipaddress
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import TYPE_CHECKING

from flowquake._version import __version__
from flowquake.cli.exposition import CONTENT_TYPE, exposition
from flowquake.errors import UsageError

if TYPE_CHECKING:
    from flowquake.running import Progress

PATIENCE_S = 5.0  # with a client that says nothing


class MetricsServer:
    """Serves ``/metrics``, ``/healthz`` and ``/readyz`` while a run goes on.

    It listens from the start, so that a wrong address is found before the run;
    it answers between `start` and `stop`.

    Parameters
    ----------
    address : str
        ``HOST:PORT``; port 0 takes any that is free.
    token_file : Path, optional
        A file with the token that every request has to bring; needed beyond
        loopback.

    Raises
    ------
    UsageError
        If it cannot listen there, or may not without a token.
    """

    def __init__(self, address: str, token_file: Path | None = None) -> None:
        host, port = split_address(address)
        self._token = None if token_file is None else _read_token(token_file)
        family, place = _resolve(host, port)
        if self._token is None and not _is_loopback(place[0]):
            raise UsageError(
                f"--serve {address} can be reached from other machines, so it needs a token",
                fix=f"add --token-file FILE, or --serve 127.0.0.1:{port}",
            )
        self._progress: Progress | None = None
        self._is_running = False
        self._info: Mapping[str, str] = {}
        try:
            self._server = _server_class(family)(place, _handler(self))
        except (OSError, OverflowError) as cause:
            reason = cause.strerror if isinstance(cause, OSError) else cause
            raise UsageError(
                f"--serve {address}: cannot listen there: {reason or cause}",
                fix="choose another address; port 0 takes any that is free",
            ) from cause
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self._server.server_address[:2]
        name = host.decode() if isinstance(host, (bytes, bytearray)) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def start(self, info: Mapping[str, str]) -> None:
        """Begin to answer; `info` names the run."""
        self._info = dict(info)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="flowquake server",
            daemon=True,
        )
        self._thread.start()

    def publish(self, progress: Progress) -> None:
        """Say how far the run is."""
        self._progress = progress
        self._is_running = True

    def stop(self) -> None:
        """Answer no more."""
        self._is_running = False
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, str, str]:
        """Give status, content type and text for a request."""
        plain = "text/plain; charset=utf-8"
        if self._token is not None:
            given = authorization.encode("utf-8", "replace")
            if not hmac.compare_digest(given, b"Bearer " + self._token):
                return 401, plain, "a token is needed\n"
        place = path.split("?")[0]
        if place == "/metrics":
            return 200, CONTENT_TYPE, exposition(self._progress, self._info)
        if place == "/healthz":
            return 200, plain, "ok\n"
        if place == "/readyz":
            return (200, plain, "running\n") if self._is_running else (503, plain, "not yet\n")
        return 404, plain, "there are /metrics, /healthz and /readyz\n"


def split_address(address: str) -> tuple[str, int]:
    """Read ``HOST:PORT``; an IPv6 address is in brackets, no host means all addresses.

    Raises
    ------
    UsageError
        If it is something else.

    Examples
    --------
    >>> split_address("127.0.0.1:9100"), split_address("[::1]:0"), split_address(":80")
    (('127.0.0.1', 9100), ('::1', 0), ('', 80))
    """
    host, colon, port = address.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if is_bracketed:
        host = host[1:-1]
    is_right = port.isascii() and port.isdecimal() and int(port) < 65536
    if not colon or not is_right or (":" in host) != is_bracketed:
        raise UsageError(f"--serve {address} is not HOST:PORT", fix="--serve 127.0.0.1:9100")
    return host, int(port)


def _read_token(path: Path) -> bytes:
    try:
        token = path.read_bytes().strip()
    except OSError as cause:
        raise UsageError(
            f"the token cannot be read: {cause.strerror or cause}", where=str(path)
        ) from cause
    if not token or not token.isascii() or any(c <= 32 for c in token):
        raise UsageError(
            "a token is one word of ASCII characters",
            where=str(path),
            fix="python -c 'import secrets; print(secrets.token_urlsafe())' > FILE",
        )
    return token


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as cause:
        raise UsageError(
            f"--serve: the host '{host}' is not known", fix=f"--serve 127.0.0.1:{port}"
        ) from cause
    family, *_, place = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, (str(place[0]), port)


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host.split("%")[0]).is_loopback


def _server_class(family: socket.AddressFamily) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        address_family = family
        daemon_threads = True
        block_on_close = False

        def server_bind(self) -> None:
            """Bind, and ask no name server for the host's name."""
            TCPServer.server_bind(self)

        def handle_error(self, request: object, client_address: object) -> None:
            """Leave out the traceback of a client that went away."""

    return Server


def _handler(server: MetricsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_S
        server_version = f"flowquake/{__version__}"
        sys_version = ""

        def do_GET(self) -> None:
            """Answer with a text."""
            status, kind, text = server.answer(self.path, self.headers.get("Authorization", ""))
            body = text.encode("utf-8")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name
            """Log nothing: the log is the run's."""

    return Handler
