"""Pulling weights from a real HTTP server on loopback."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.vision.ocr.paddle import LANGUAGES, models_for
from models.weights.files import WEIGHT_SETS, WeightFile, WeightSet
from models.weights.pulling import PullFailed, pull
from tests.conftest import each_case

MOVING = {"https://huggingface.co/besit/rfdetr-onnx/resolve/main/rfdetr-seg-small.onnx"}
"""Addresses of which no revision is known. Their checksums hold all the same: a file that changed is refused."""
CONTENT = bytes(range(256)) * 12_000
"""About 3 MB: several blocks."""


class WeightServer(ThreadingHTTPServer):
    """Serves CONTENT under any path; the path says what goes wrong on the way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.breaks_off_after: list[int] = []
        """How much of the next answers gets out."""
        self.ranges: list[str | None] = []
        """What part each request asked for."""
        self.asked, self.go_on = threading.Event(), threading.Event()
        """Answers under /slow wait, once they have said that they are asked for."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def file(self, path: str, *, to: str = "det/model.onnx", size: int | None = None) -> WeightFile:
        return WeightFile(self.url(path), hashlib.sha256(CONTENT).hexdigest(), to, size)


class _Handler(BaseHTTPRequestHandler):
    server: WeightServer

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.ranges.append(self.headers["range"])
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("location", self.server.url("/model"))
            self.end_headers()
            return
        if self.path.startswith("/slow"):
            self.server.asked.set()
            assert self.server.go_on.wait(20)
        begin = 0
        if self.headers["range"] and not self.path.startswith("/whole"):
            begin = int(self.headers["range"].removeprefix("bytes=").removesuffix("-"))
            if begin >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("content-range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        self.send_header("content-length", str(len(CONTENT) - begin))
        self.end_headers()
        length = self.server.breaks_off_after.pop() if self.server.breaks_off_after else len(CONTENT)
        content = CONTENT[::-1] if self.path.startswith("/other") else CONTENT
        self.wfile.write(content[begin : begin + length])

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""


@contextlib.contextmanager
def serving_weights() -> Iterator[WeightServer]:
    with WeightServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[WeightServer]:
    with serving_weights() as server:
        yield server


def one(file: WeightFile) -> WeightSet:
    return WeightSet("test", "Apache-2.0", (file,))


def files_below(root: Path) -> set[str]:
    """All but the empty files that keep others out while one is fetched."""
    files = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {name for name in files if not name.endswith(".lock")}


PART = "det/.model.onnx.part"
"""What has arrived of a file that is not whole yet."""


def test_a_file_arrives_whole_where_it_belongs(server: WeightServer, tmp_path: Path) -> None:
    pull(one(server.file("/model", size=len(CONTENT))), tmp_path)
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"det/model.onnx"}


def test_a_wrong_checksum_leaves_nothing_behind(server: WeightServer, tmp_path: Path) -> None:
    file = replace(server.file("/model"), sha256="0" * 64)
    with pytest.raises(PullFailed, match=f"its sha256 is {hashlib.sha256(CONTENT).hexdigest()}"):
        pull(one(file), tmp_path)
    assert files_below(tmp_path) == set()


def test_a_connection_that_breaks_off_leaves_what_came_and_the_next_pull_goes_on_there(
    server: WeightServer, tmp_path: Path
) -> None:
    server.breaks_off_after = [len(CONTENT) // 2]
    weights = one(server.file("/model", size=len(CONTENT)))
    with pytest.raises(PullFailed, match="RemoteProtocolError"):
        pull(weights, tmp_path)
    assert files_below(tmp_path) == {PART}
    assert weights.missing(tmp_path) == list(weights.files)
    arrived = (tmp_path / PART).stat().st_size
    assert 0 < arrived <= len(CONTENT) // 2
    told: list[int] = []
    pull(weights, tmp_path, progress=lambda _file, done, _total: told.append(done))
    assert server.ranges == [None, f"bytes={arrived}-"]
    assert told[0] > arrived
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"det/model.onnx"}


@pytest.mark.parametrize("path", ["/model", "/whole/model"], ids=["goes on", "starts again"])
@pytest.mark.parametrize("begun", [1000, len(CONTENT), len(CONTENT) + 5])
def test_a_beginning_of_something_else_is_thrown_away(
    server: WeightServer, tmp_path: Path, path: str, begun: int
) -> None:
    (tmp_path / "det").mkdir()
    (tmp_path / PART).write_bytes(b"x" * begun)
    pull(one(server.file(path)), tmp_path)
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
    assert files_below(tmp_path) == {"det/model.onnx"}


def test_a_file_larger_than_stated_is_refused(server: WeightServer, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match=str(len(CONTENT) - 1)):
        pull(one(server.file("/model", size=len(CONTENT) - 1)), tmp_path)
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


@pytest.fixture
def mirrored(monkeypatch: pytest.MonkeyPatch, server: WeightServer) -> WeightServer:
    """Mirrors all below /missing, /wrong and /other under /model."""
    site = re.compile(rf"({re.escape(server.url(''))})/(?:missing|wrong|other)(/.*)")
    monkeypatch.setattr("models.weights.files._MIRRORS", [(site, r"\1/model\2")])
    return server


def test_what_a_site_does_not_give_comes_from_its_mirror(mirrored: WeightServer, tmp_path: Path) -> None:
    pull(one(mirrored.file("/missing/a")), tmp_path)
    assert mirrored.requests == ["/missing/a", "/model/a"]
    assert files_below(tmp_path) == {"det/model.onnx"}


def test_a_directory_that_cannot_be_written_is_a_failed_pull(server: WeightServer, tmp_path: Path) -> None:
    (tmp_path / "det").write_text("a file where the directory would be")
    with pytest.raises(PullFailed, match="cannot be written"):
        pull(one(server.file("/model")), tmp_path)


def test_an_interrupted_pull_leaves_no_weights_and_goes_on_when_repeated(server: WeightServer, tmp_path: Path) -> None:
    def interrupt(_file: WeightFile, done: int, _total: int | None) -> None:
        if done > len(CONTENT) // 3:
            raise KeyboardInterrupt

    weights = one(server.file("/model"))
    with pytest.raises(KeyboardInterrupt):
        pull(weights, tmp_path, progress=interrupt)
    assert files_below(tmp_path) == {PART}
    pull(weights, tmp_path)
    assert str(server.ranges[1]).startswith("bytes=")
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT


def test_of_threads_that_pull_at_once_one_fetches(server: WeightServer, tmp_path: Path) -> None:
    weights = one(server.file("/slow"))
    with ThreadPoolExecutor(3) as threads:
        pulls = [threads.submit(pull, weights, tmp_path) for _ in range(3)]
        assert server.asked.wait(20)
        server.go_on.set()
        for done in pulls:
            done.result(timeout=60)
    assert server.requests == ["/slow"]
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT


@each_case("weights", WEIGHT_SETS.values())
def test_every_set_names_checked_files_inside_the_weights_directory(weights: WeightSet) -> None:
    assert weights.licence
    assert len({file.path for file in weights.files}) == len(weights.files)
    for file in weights.files:
        assert file.url.startswith("https://")
        assert len(bytes.fromhex(file.sha256)) == 32
        assert not Path(file.path).is_absolute()
        assert ".." not in Path(file.path).parts


@each_case("language", sorted(LANGUAGES))
def test_the_set_of_a_language_holds_the_models_that_paddleocr_loads_for_it(language: str) -> None:
    models = models_for(language)
    assert {file.path for file in WEIGHT_SETS[models.weight_set].files} == {
        f"paddleocr/{model}/inference.{ending}"
        for model in (models.detector, models.recognizer)
        for ending in ("yml", "json", "pdiparams")
    }


def test_what_is_there_with_another_checksum_is_replaced(server: WeightServer, tmp_path: Path) -> None:
    (tmp_path / "det").mkdir()
    (tmp_path / "det" / "model.onnx").write_bytes(b"something else")
    pull(one(server.file("/model")), tmp_path)
    assert (tmp_path / "det" / "model.onnx").read_bytes() == CONTENT
