"""Shared libraries that packages need and a machine may lack."""

import ctypes
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.devices import native

PLACE = Path(sysconfig.get_path("platlib"))
ABSENT = "libZZ.so.1"
"""As long a name as libdl.so.2, in whose place it is put."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads files of Linux")


@pytest.fixture
def carried() -> Path:
    """A library of OpenMP that a wheel carries, under another name than the system's."""
    return next(PLACE.glob("*.libs/libgomp-*.so*"))


@pytest.fixture
def needy(tmp_path: Path, carried: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A native module, of the package `needy`, that needs a library which no machine has."""
    module = tmp_path / "needy" / "_needy.so"
    module.parent.mkdir()
    (module.parent / "__init__.py").touch()
    content = carried.read_bytes()
    assert content.count(b"\0libdl.so.2\0") == 1
    module.write_bytes(content.replace(b"\0libdl.so.2\0", f"\0{ABSENT}\0".encode()))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(native.DEBIAN_PACKAGES, ABSENT, "libzz1")
    native._needed_by_package.cache_clear()
    yield module
    native._needed_by_package.cache_clear()


def test_the_libraries_that_a_file_needs_are_read_from_its_head(needy: Path) -> None:
    assert native.needed_by(needy) == [ABSENT, "libpthread.so.0", "libc.so.6"]
    [module] = Path(find_spec("xllamacpp").submodule_search_locations[0]).glob("*.so")  # type: ignore[union-attr, index]
    assert "libgomp.so.1" in native.needed_by(module)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n" + bytes(100)])
def test_any_other_file_needs_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "no.so"
    file.write_bytes(content)
    assert native.needed_by(file) == []


@pytest.mark.usefixtures("needy")
def test_a_library_that_the_system_lacks_is_named_with_the_command_that_brings_it() -> None:
    said = "This machine has no libZZ.so.1, which it needs: `apt-get install libzz1` brings it on Debian and Ubuntu."
    assert native.missing_library("needy") == said


def test_what_the_loader_says_is_named_in_the_same_way(needy: Path) -> None:
    with pytest.raises(OSError, match=ABSENT) as raised:
        ctypes.CDLL(str(needy))
    assert "`apt-get install libzz1`" in (native.library_missing_from(raised.value) or "")
    assert native.library_missing_from(ImportError(str(raised.value))) == native.library_missing_from(raised.value)
    assert native.library_missing_from(
        ImportError("libof.mine.so.7: cannot open shared object file: No such file")
    ) == ("This machine has no libof.mine.so.7, which it needs.")


def test_other_errors_name_no_library() -> None:
    for error in (FileNotFoundError(2, "No such file"), ImportError("No module named 'x'"), ValueError(ABSENT)):
        assert native.library_missing_from(error) is None


def test_what_serves_here_lacks_nothing() -> None:
    for module in ("xllamacpp", "ctranslate2", "onnxruntime", "openvino", "cv2", "av", "sentencepiece", "scipy"):
        assert native.missing_library(module) is None


def test_a_package_that_is_not_here_lacks_nothing() -> None:
    assert native.missing_library("no_such_package") is None


STANDS_IN = """
import ctypes, sys
from pathlib import Path
from models.devices import native
native.load_as("libgomp.so.1", Path(sys.argv[1]))
found = ctypes.CDLL("libgomp.so.1")
assert found.omp_get_max_threads() > 0
print([line.split()[-2:] for line in open("/proc/self/maps") if "gomp" in line][0])
"""


def test_what_another_wheel_carries_stands_in_for_a_library_of_the_system(carried: Path) -> None:
    # In a process of its own, as this one may have the system's.
    told = subprocess.run([sys.executable, "-c", STANDS_IN, carried], capture_output=True, text=True, check=True)
    assert "memfd:libgomp.so.1" in told.stdout


def test_a_copy_that_finds_no_room_is_not_loaded(carried: Path) -> None:
    bounded = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))"
    told = subprocess.run(
        [sys.executable, "-c", f"{bounded}\n{STANDS_IN}", carried], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr.splitlines()[-1]) == (1, "OSError: [Errno 27] File too large")


def test_a_file_that_does_not_name_itself_is_no_stand_in(tmp_path: Path, carried: Path) -> None:
    other = tmp_path / "libother-0123.so.1"
    other.write_bytes(carried.read_bytes())
    with pytest.raises(OSError, match=r"libother-0123\.so\.1 does not name itself once"):
        native.load_as("libgomp.so.1", other)
