"""Shared libraries that packages need and a machine may lack."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from models.devices import native

PLACE = Path(sysconfig.get_path("platlib"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads files of Linux")


@pytest.fixture
def carried() -> Path:
    """A library of OpenMP that a wheel carries, under another name than the system's."""
    return next(PLACE.glob("*.libs/libgomp-*.so*"))


def said(library: str) -> str:
    return f"{library}: cannot open shared object file: No such file or directory"


def test_what_the_loader_says_is_named_with_the_command_that_brings_it() -> None:
    for kind in (ImportError, OSError):
        assert "`apt-get install libgl1`" in str(native.library_missing_from(kind(said("libGL.so.1"))))
    assert "libof.mine.so.7" in str(native.library_missing_from(ImportError(said("libof.mine.so.7"))))


def test_other_errors_name_no_library() -> None:
    for error in (
        FileNotFoundError(2, "No such file"),
        ImportError("No module named 'x'"),
        ValueError(said("libGL.so.1")),
    ):
        assert native.library_missing_from(error) is None


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
