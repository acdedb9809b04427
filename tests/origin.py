"""A web server on loopback that behaves well, badly, or not at all."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit


@dataclass
class Origin:
    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    """Bodies by path."""
    seen: list[str] = field(default_factory=list)
    """Paths asked for."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def redirect_to(self, target: str) -> str:
        return self.url(f"/redirect?to={quote(target, safe='')}")


@contextlib.contextmanager
def serving_origin() -> Iterator[Origin]:
    """`/redirect?to=…` redirects, `/endless` never ends, `/drip` sends a byte at a time; else `files`, or 404."""
    origin = Origin(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin.seen.append(self.path)
            parts = urlsplit(self.path)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                match parts.path:
                    case "/redirect":
                        self.send_response(302)
                        self.send_header("location", parse_qs(parts.query)["to"][0])
                        self.end_headers()
                    case "/endless":
                        self._begin()
                        while not origin.stopping.is_set():
                            self.wfile.write(bytes(65536))
                    case "/drip":
                        self._begin()
                        while not origin.stopping.is_set():
                            self.wfile.write(b".")
                            time.sleep(0.05)
                    case path if path in origin.files:
                        self._begin()
                        self.wfile.write(origin.files[path])
                    case _:
                        self.send_error(404)

        def _begin(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/octet-stream")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        origin.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
