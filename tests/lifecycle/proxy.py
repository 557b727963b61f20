"""A proxy on loopback that knows CONNECT, as those do that an organisation puts in front of the internet."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass
class Proxy:
    """What a proxy has seen."""

    url: str = ""
    """Its own, with a name and a password that it wants to hear."""
    denies: bool = False
    """Whether it lets nobody through."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The hosts with ports that were asked for, and what the asking said of itself."""


class _Connection(BaseHTTPRequestHandler):
    proxy: ClassVar[Proxy]

    def do_CONNECT(self) -> None:
        self.proxy.asked.append((self.path, self.headers.get("Proxy-Authorization", "")))
        if self.proxy.denies:
            self.send_error(403)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(there, self.connection))
            back.start()
            _pass_on(self.connection, there)
            back.join()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def proxying() -> Iterator[Proxy]:
    """A proxy on a free port of loopback."""
    proxy = Proxy()
    server = _Server(("127.0.0.1", 0), type("Connection", (_Connection,), {"proxy": proxy}))
    proxy.url = f"http://somebody:word@127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
