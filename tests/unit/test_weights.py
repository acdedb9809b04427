"""Pulling weights from a real HTTP server on loopback."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from models.vision.paddle_models import LANGUAGES, models_for
from models.weight_sets import WEIGHT_SETS
from models.weights import PullFailed, WeightFile, WeightSet, pull

CONTENT = bytes(range(256)) * 12_000
"""About 3 MB: several blocks."""


class WeightServer(ThreadingHTTPServer):
    """Serves CONTENT under any path; the path says what goes wrong on the way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.breaks_off_after: list[int] = []
        """How much of the next answers gets out."""
        self.both_are_here = threading.Barrier(2, timeout=20)
        """Answers under /together/ wait for each other."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def file(self, path: str, *, to: str = "det/model.onnx", size: int | None = None) -> WeightFile:
        return WeightFile(self.url(path), hashlib.sha256(CONTENT).hexdigest(), to, size)


class _Handler(BaseHTTPRequestHandler):
    server: WeightServer

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("location", self.server.url("/model"))
            self.end_headers()
            return
        if self.path.startswith("/together"):
            self.server.both_are_here.wait()
        self.send_response(200)
        self.send_header("content-length", str(len(CONTENT)))
        self.end_headers()
        length = self.server.breaks_off_after.pop() if self.server.breaks_off_after else len(CONTENT)
        self.wfile.write(CONTENT[:length])

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""


@pytest.fixture
def server() -> Iterator[WeightServer]:
    with WeightServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def one(file: WeightFile) -> WeightSet:
    return WeightSet("test", "Apache-2.0", (file,))


def files_below(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_a_file_arrives_whole_where_it_belongs(server: WeightServer, tmp_path: Path) -> None:
    pull(one(server.file("/model", size=len(CONTENT))), tmp_path)
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"det/model.onnx"}


def test_progress_is_told_until_the_last_byte(server: WeightServer, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    pull(one(server.file("/model")), tmp_path, progress=lambda file, done: told.append((file.path, done)))
    counts = [done for _, done in told]
    assert counts == sorted(counts)
    assert len(counts) > 1
    assert told[-1] == ("det/model.onnx", len(CONTENT))


def test_what_is_there_is_not_fetched_again(server: WeightServer, tmp_path: Path) -> None:
    weights = WeightSet("test", "Apache-2.0", (server.file("/a", to="a"), server.file("/b", to="b")))
    assert weights.missing(tmp_path) == list(weights.files)
    (tmp_path / "a").write_bytes(b"already here")
    assert weights.missing(tmp_path) == [weights.files[1]]
    pull(weights, tmp_path)
    assert server.requests == ["/b"]
    assert weights.missing(tmp_path) == []


def test_a_redirect_to_the_hubs_storage_is_followed(server: WeightServer, tmp_path: Path) -> None:
    pull(one(server.file("/moved")), tmp_path)
    assert server.requests == ["/moved", "/model"]
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT


def test_a_callers_client_is_used_and_left_open(server: WeightServer, tmp_path: Path) -> None:
    with httpx.Client(headers={"user-agent": "mine"}) as client:
        pull(one(server.file("/model")), tmp_path, client=client)
        assert not client.is_closed


def test_a_wrong_checksum_leaves_nothing_behind(server: WeightServer, tmp_path: Path) -> None:
    file = replace(server.file("/model"), sha256="0" * 64)
    with pytest.raises(PullFailed, match=f"its sha256 is {hashlib.sha256(CONTENT).hexdigest()}"):
        pull(one(file), tmp_path)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_connection_that_breaks_off_leaves_nothing_behind(
    server: WeightServer, tmp_path: Path, size: int | None
) -> None:
    server.breaks_off_after = [len(CONTENT) // 2]
    with pytest.raises(PullFailed, match="RemoteProtocolError"):
        pull(one(server.file("/model", size=size)), tmp_path)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize(
    ("size", "reason"), [(len(CONTENT) + 1, "it ended after"), (len(CONTENT) - 1, "it is larger than")]
)
def test_a_size_other_than_the_stated_one_is_refused(
    server: WeightServer, tmp_path: Path, size: int, reason: str
) -> None:
    with pytest.raises(PullFailed, match=reason):
        pull(one(server.file("/model", size=size)), tmp_path)
    assert files_below(tmp_path) == set()


def test_a_file_that_is_not_there_is_named_with_what_to_do(server: WeightServer, tmp_path: Path) -> None:
    file = server.file("/missing")
    with pytest.raises(PullFailed) as caught:
        pull(one(file), tmp_path)
    message = str(caught.value)
    assert file.url in message
    assert "404" in message
    assert file.sha256 in message
    assert str(tmp_path / "det" / "model.onnx") in message


def test_a_server_that_is_not_there_is_a_failed_pull(server: WeightServer, tmp_path: Path) -> None:
    file = server.file("/model")
    server.server_close()
    with pytest.raises(PullFailed, match="ConnectError"):
        pull(one(file), tmp_path)


def test_a_directory_that_cannot_be_written_is_a_failed_pull(server: WeightServer, tmp_path: Path) -> None:
    (tmp_path / "det").write_text("a file where the directory would be")
    with pytest.raises(PullFailed, match="cannot be written"):
        pull(one(server.file("/model")), tmp_path)


def test_an_interrupted_pull_leaves_nothing_and_can_be_repeated(server: WeightServer, tmp_path: Path) -> None:
    def interrupt(_file: WeightFile, done: int) -> None:
        if done > len(CONTENT) // 3:
            raise KeyboardInterrupt

    weights = one(server.file("/model"))
    with pytest.raises(KeyboardInterrupt):
        pull(weights, tmp_path, progress=interrupt)
    assert files_below(tmp_path) == set()
    pull(weights, tmp_path)
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT


def test_what_came_before_a_failure_stays(server: WeightServer, tmp_path: Path) -> None:
    weights = WeightSet("test", "Apache-2.0", (server.file("/a", to="a"), server.file("/missing", to="b")))
    with pytest.raises(PullFailed):
        pull(weights, tmp_path)
    assert files_below(tmp_path) == {"a"}


def test_two_that_pull_at_once_both_succeed(server: WeightServer, tmp_path: Path) -> None:
    weights = one(server.file("/together"))
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(pull, weights, tmp_path) for _ in range(2)]:
            done.result(timeout=30)
    assert server.requests == ["/together", "/together"]
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"det/model.onnx"}


@pytest.mark.parametrize("weights", WEIGHT_SETS.values(), ids=lambda weights: weights.name)
def test_every_set_names_checked_files_inside_the_weights_directory(weights: WeightSet) -> None:
    assert weights.licence
    assert len({file.path for file in weights.files}) == len(weights.files)
    for file in weights.files:
        assert file.url.startswith("https://")
        assert len(bytes.fromhex(file.sha256)) == 32
        assert not Path(file.path).is_absolute()
        assert ".." not in Path(file.path).parts


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_set_of_a_language_holds_the_models_that_paddleocr_loads_for_it(language: str) -> None:
    models = models_for(language)
    assert {file.path for file in WEIGHT_SETS[models.weight_set].files} == {
        f"paddleocr/{model}/inference.{ending}"
        for model in (models.detector, models.recognizer)
        for ending in ("yml", "json", "pdiparams")
    }
