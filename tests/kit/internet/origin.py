"""Web server on loopback that answers well, badly, or not at all."""

import contextlib
import select
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
    """Bodies, by path."""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Additional headers of a body, by path."""
    seen: list[str] = field(default_factory=list)
    """Paths that have been requested."""
    stopping: threading.Event = field(default_factory=threading.Event)
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Semaphore released for each request under `/held/` that has arrived."""
    left: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Semaphore released for each request under `/held/` whose client has hung up."""
    released: threading.Event = field(default_factory=threading.Event)
    """Event that the remaining requests under `/held/` wait for."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def redirect_to(self, target: str) -> str:
        return self.url(f"/redirect?to={quote(target, safe='')}")


@contextlib.contextmanager
def serving_origin() -> Iterator[Origin]:
    """Run the server until the block ends.

    `/redirect?to=…` redirects, `/endless` never ends, `/drip` sends a byte at a time, and `/short` ends before its
    declared length. `/gzip/…` declares a file to be compressed, and `/held/…` delays a file until `released` is set.
    Any other path is one of `files`, or 404.
    """
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
                    case "/short":
                        self._begin(("content-length", "1000"))
                        self.wfile.write(b"short")
                    case path if path.removeprefix("/gzip") in origin.files and path.startswith("/gzip/"):
                        self._begin(("content-encoding", "gzip"))
                        self.wfile.write(origin.files[path.removeprefix("/gzip")])
                    case path if path.removeprefix("/held") in origin.files and path.startswith("/held/"):
                        if self._is_awaited():
                            self._begin()
                            self.wfile.write(origin.files[path.removeprefix("/held")])
                    case path if path in origin.files:
                        self._begin(*origin.headers.get(path, {}).items())
                        self.wfile.write(origin.files[path])
                    case _:
                        self.send_error(404)

        def _is_awaited(self) -> bool:
            """True if the client is still there when the file is released."""
            origin.held.release()
            while not (origin.released.is_set() or origin.stopping.is_set()):
                if select.select([self.connection], [], [], 0.02)[0]:
                    origin.left.release()
                    return False
            return origin.released.is_set()

        def _begin(self, *headers: tuple[str, str]) -> None:
            self.send_response(200)
            for name, value in (("content-type", "application/octet-stream"), *headers):
                self.send_header(name, value)
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
