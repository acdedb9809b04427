"""Compiled networks that one process keeps for the next: the same results, and nothing that a bad file can spoil."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr import compiled_networks as kept
from models.vision.ppocr import openvino_session
from models.vision.ppocr.openvino_session import OpenVinoSession
from tests.conftest import ROOT
from tests.pages import single_line

DETECTOR, RECOGNIZER = embedded_weights()
LINE = np.array(single_line("Invoice 4711, 10.00 EUR", margin=6).image.resize((320, 48)))[None]
PAGE = np.array(single_line("Invoice 4711, 10.00 EUR").image.resize((256, 128)))[None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept._log_once.cache_clear()
    yield tmp_path / "openfaze" / "compiled"
    kept._log_once.cache_clear()


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the networks that were compiled rather than read back."""
    compiled: list[str] = []
    compile_anew: Callable[..., tuple[str, Any]] = openvino_session._compile

    def counted(core: Any, path: Path, *rest: Any) -> tuple[str, Any]:
        compiled.append(path.stem)
        return compile_anew(core, path, *rest)

    monkeypatch.setattr(openvino_session, "_compile", counted)
    return compiled


def recognised(threads: int = 1) -> tuple[str, list[bytes]]:
    session = OpenVinoSession(RECOGNIZER, recognition=True, threads=threads, streams=1)
    return session.characters(), [output.tobytes() for output in session.infer([LINE])[0]]


def detected() -> list[bytes]:
    session = OpenVinoSession(DETECTOR, recognition=False, threads=1, streams=1)
    return [output.tobytes() for output in session.infer([PAGE])[0]]


@pytest.mark.deep
def test_what_was_read_back_computes_the_same_to_the_bit(compilations: list[str], folder: Path) -> None:
    first = recognised(), detected()
    assert len(compilations) == 2
    assert (recognised(), detected()) == first
    assert len(compilations) == 2
    assert len(list(folder.iterdir())) == 2


def test_another_way_to_compute_is_compiled_anew(compilations: list[str]) -> None:
    recognised(threads=1)
    recognised(threads=2)
    assert len(compilations) == 2


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda data: data[: len(data) // 2], marks=pytest.mark.deep),
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda _: b"",
    ],
    ids=["cut short", "a bit that fell over", "empty"],
)
def test_a_damaged_file_is_replaced(harm: Callable[[bytes], bytes], compilations: list[str], folder: Path) -> None:
    first = recognised()
    [file] = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(harm(whole))
    assert recognised() == first
    assert len(compilations) == 2
    assert recognised() == first
    assert len(compilations) == 2


@pytest.mark.deep
def test_what_the_runtime_refuses_is_replaced(compilations: list[str], folder: Path) -> None:
    first = recognised()
    [file] = folder.iterdir()
    kept.keep_network(file.name, bytes(8) + b"no network")
    with capture_logs() as log:
        assert recognised() == first
    assert [line["event"] for line in log] == ["compiled_network_refused"]
    assert recognised() == first
    assert len(compilations) == 2


def test_where_nothing_can_be_written_every_process_compiles_and_says_so_once(
    compilations: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    with capture_logs() as log:
        assert recognised() == recognised()
    assert [line["event"] for line in log] == ["compiled_networks_not_kept"]
    assert len(compilations) == 2


def test_a_user_without_a_home_has_nothing_kept(
    compilations: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.platformdirs, "user_cache_path", lambda *_, **__: Path("~/.cache/openfaze"))
    monkeypatch.chdir(tmp_path)
    recognised()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_no_more_than_that(
    compilations: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    with capture_logs() as log:
        recognised()
    assert "No space left" in log[0]["reason"]
    assert list(folder.iterdir()) == []


@pytest.mark.deep
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="files have no owners here")
def test_a_folder_of_another_user_is_not_believed(compilations: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    recognised()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    recognised()
    assert len(compilations) == 2


def test_those_used_last_are_kept(folder: Path) -> None:
    for number in range(kept.MAX_FILES):
        kept.keep_network(f"{number}", b"x")
        os.utime(folder / f"{number}", (number, number))
    assert kept.read_network("0") == b"x"  # and used by that
    kept.keep_network("one more", b"y")
    assert {file.name for file in folder.iterdir()} == {"0", "one more", *map(str, range(2, kept.MAX_FILES))}


@pytest.mark.deep
def test_processes_that_start_together_disturb_each_other_no_more_than_one_after_the_other(folder: Path) -> None:
    program = (
        "import hashlib; from tests.unit.models.vision.ppocr.test_compiled_networks import detected; "
        "print(hashlib.sha256(b''.join(detected())).hexdigest())"
    )
    started = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT) for _ in range(3)]
    said = {process.communicate(timeout=100)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(said) == 1
    [file] = folder.iterdir()
    assert kept.read_network(file.name) is not None
