"""Finds shared libraries that native modules of Python packages need and this machine lacks, and the Debian package
that provides each.

A wheel contains nearly all libraries that it needs. A missing one would cause an ImportError at the engine's first use.
This module detects it before anything is imported: it reads the names that an ELF file lists, and asks the loader for
each of them.
"""

import ctypes
import os
import re
import struct
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import structlog

DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libatomic.so.1": "libatomic1",
    "libexpat.so.1": "libexpat1",
    "libgfortran.so.5": "libgfortran5",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libquadmath.so.0": "libquadmath0",
    "libsndfile.so.1": "libsndfile1",
    "libstdc++.so.6": "libstdc++6",
}
"""Debian packages, by the name of the library as the loader knows it. Wheels for Linux expect these libraries from the
system. The rules for wheels permit this for some of them, and some wheels break the rules for the others."""

_BUNDLED_COPIES = {"libgomp.so.1": "libgomp-*.so*"}
"""Patterns of file names under which other wheels contain the same library, in folders `*.libs` (auditwheel)."""
_LOADER_ERROR = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5

log = structlog.get_logger(__name__)


def missing_library(module: str) -> str | None:
    """Return a sentence on a library that the package `module` needs and this machine lacks; None if no library is
    known to be missing. Imports nothing."""
    for name in _needed_by_package(module):
        if not _is_loadable(name):
            return missing_library_message(name)
    return None


def missing_library_message(name: str) -> str:
    """Return a sentence on a shared library that the system lacks, with the command that installs it, if known."""
    package = DEBIAN_PACKAGES.get(name)
    if package is None:
        return f"This machine has no {name}, which it needs."
    return f"This machine has no {name}, which it needs: `apt-get install {package}` brings it on Debian and Ubuntu."


def library_missing_from(error: BaseException) -> str | None:
    """Return a sentence on the library that an import or a `dlopen` did not find; None for any other error."""
    if not isinstance(error, ImportError | OSError):
        return None
    found = _LOADER_ERROR.search(str(error))
    return missing_library_message(found[1]) if found else None


@lru_cache
def _needed_by_package(module: str) -> tuple[str, ...]:
    """Return the libraries of DEBIAN_PACKAGES that the files of an installed package need."""
    spec = find_spec(module) if sys.platform == "linux" else None
    places = (spec.submodule_search_locations or ()) if spec else ()
    files = (file for place in places for file in Path(place).rglob("*.so*") if file.is_file())
    return tuple(sorted({name for file in files for name in needed_by(file)} & set(DEBIAN_PACKAGES)))


def _is_loadable(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return name in _BUNDLED_COPIES and _load_bundled_copy(name)
    return True


def _load_bundled_copy(name: str) -> bool:
    """Load another wheel's copy of the library, under the name `name`, for the whole process. Modules that need `name`
    later get this copy, because the loader first compares `name` with the names inside the files that are loaded
    already, and only then searches for a file."""
    for file in sorted(Path(sysconfig.get_path("platlib")).glob(f"*.libs/{_BUNDLED_COPIES[name]}")):
        try:
            load_as(name, file)
        except OSError as error:
            log.warning("library_does_not_load", library=name, file=str(file), error=str(error))
        else:
            return True
    return False


def load_as(name: str, file: Path) -> None:
    """Load a copy of `file` whose own name (its SONAME) is `name`. The copy exists in memory only. auditwheel gave the
    file its own file name as SONAME; `name` must not be longer than this file name. Raises OSError."""
    given = os.fsencode(file.name) + b"\0"
    content = file.read_bytes()
    if content.count(given) != 1 or len(name) >= len(given):
        raise OSError(f"{file.name} does not name itself once")
    with open(os.memfd_create(name), "wb") as copy:
        copy.write(content.replace(given, os.fsencode(name).ljust(len(given), b"\0")))
        # A copy that could not be written completely must raise OSError, because loading a truncated library would end
        # the process.
        copy.flush()
        ctypes.CDLL(f"/proc/self/fd/{copy.fileno()}")


def needed_by(file: Path) -> list[str]:
    """Return the names of the libraries that a 64-bit ELF file lists as needed (DT_NEEDED of the System V ABI, chapter
    5); an empty list for any other file."""
    with file.open("rb") as opened:
        header = opened.read(64)
        # 64 bits, little-endian: the format of x86-64 and ARM64.
        if len(header) < 64 or header[:6] != b"\x7fELF\x02\x01":
            return []
        return list(_read_needed(opened, header))


def _read_needed(opened: BinaryIO, header: bytes) -> Iterator[str]:
    start, size, count = struct.unpack_from("<Q", header, 32)[0], *struct.unpack_from("<HH", header, 54)
    # Fields of a segment: kind, flags, place in the file, address, physical address, length in the file, …
    segments = [struct.unpack("<IIQQQQ", _read_at(opened, start + size * index, 40)) for index in range(count)]
    for kind, _, place, _, _, length in segments:
        if kind != _PT_DYNAMIC:
            continue
        entries = list(struct.iter_unpack("<qQ", _read_at(opened, place, length - length % 16)))
        names_at = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
        for load, _, place_of, address, _, length_of in segments:
            if load == _PT_LOAD and address <= names_at < address + length_of:
                offset = place_of + names_at - address
                for tag, value in entries:
                    if tag == _DT_NEEDED:
                        yield _read_at(opened, offset + value, 256).partition(b"\0")[0].decode(errors="replace")


def _read_at(opened: BinaryIO, position: int, length: int) -> bytes:
    opened.seek(position)
    return opened.read(length)
