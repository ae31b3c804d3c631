"""The network of `network.py` behind sockets, so that what really goes out can be looked at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.parties.source.network import Network

from safeconduct.plumbing.fetch import Response

ANSWER_BYTES_MAX = 1 << 30


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, url: str, body: bytes) -> Response:
        raise NotImplementedError

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        answer = self.answer(f"http://{self.headers['host']}{self.path}", body)
        self.send_response(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


for method in ("GET", "POST", "PUT", "PATCH"):
    setattr(_Handler, f"do_{method}", _Handler._handle)


@contextmanager
def serving(network: Network) -> Iterator[int]:
    """A port at which log, door and register of `network` answer, whatever name is used."""
    lock = threading.Lock()

    class Handler(_Handler):
        def answer(self, url: str, body: bytes) -> Response:
            with lock:
                return network.request(self.command, url, body, bytes_max=ANSWER_BYTES_MAX)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
