"""Names shared libraries that a native module did not find on this machine, and the Debian package that provides each.

A wheel contains nearly all libraries that it needs. For llama.cpp and Paddle, which need the system's OpenMP, another
wheel's copy of it stands in.
"""

import ctypes
import os
import re
import sysconfig
from pathlib import Path

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

_OPENMP = "libgomp.so.1"
_LOADER_ERROR = re.compile(r"([\w.+-]+\.so[\w.]*): cannot open shared object file")


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


def provide_openmp() -> None:
    """Load another wheel's copy of OpenMP for the whole process if the system has none. Modules that need OpenMP later
    get this copy, because the loader first compares the name with the names inside the files that are loaded already,
    and only then searches for a file. If there is no copy, the module's import raises the error."""
    try:
        ctypes.CDLL(_OPENMP)
    except OSError:
        # auditwheel puts copies into folders `*.libs`.
        for file in sorted(Path(sysconfig.get_path("platlib")).glob("*.libs/libgomp-*.so*"))[:1]:
            load_as(_OPENMP, file)


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
