"""Receiver of webhooks on loopback, which refuses as often as a test requires."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    port: int
    refusals: list[int] = field(default_factory=list)
    """Statuses of the first answers. Later answers have the status 204."""
    answer: bytes = b""
    """Body of an answer other than 204."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """Further headers of all answers."""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers, by lower-case name, and bodies."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            # The request is recorded before the answer, because the sender goes on once it has the answer.
            receiver.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = receiver.refusals.pop(0) if receiver.refusals else 204
            self.send_response(status)
            answer = b"" if status == 204 else receiver.answer
            for name, value in {"content-length": str(len(answer)), **receiver.answer_headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the sender may have left
                self.wfile.write(answer)
            receiver.arrived.release()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
