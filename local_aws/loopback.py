"""The HealthOmics service over HTTP on loopback, with other routes beside it; lost connections are really lost."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from .healthomics.faults import Fault, Kind
from .healthomics.service import Response

Route = Callable[[str, str, str, bytes], Response | None]
"""Takes method, path, query and body; None: not for this route."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # headers and body are two writes: the second would wait 40 ms for an acknowledgement
    )
    routes: Sequence[Route] = ()

    def _serve(self) -> None:
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        # AWS's JSON protocol names the operation in a header: here it is part of the path.
        path = split.path + self.headers.get("x-amz-target", "")
        for route in self.routes:
            response = route(self.command, path, split.query, body)
            if response is not None:
                break
        else:
            message = json.dumps({"message": f"{self.command} {split.path}: no such operation here"}).encode()
            response = Response(404, {"x-amzn-errortype": "UnknownOperationException"}, message)
        if response.fault:
            self._lose(response.fault)
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _lose(self, fault: Fault) -> None:
        if fault.kind in {Kind.HANG_BEFORE, Kind.HANG_AFTER}:
            time.sleep(fault.hang)
        # Closing with linger 0 resets the connection: the client sees it lost, not closed in good order.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        """Close the files, whatever became of the connection."""
        try:
            super().finish()
        except OSError:
            self.rfile.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the service keeps a journal."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


@contextmanager
def serving(*routes: Route, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve the routes, tried in order, on a free port of loopback; yields the base URL."""
    handler = type("Connection", (_Connection,), {"routes": routes})
    server = _Server(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
