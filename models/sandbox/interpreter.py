"""The Python that runs in the sandbox: this interpreter, its standard library and a few packages.

They are mounted at fixed paths inside the sandbox, so that a script learns nothing about the machine's folders.
"""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PYTHON_HOME = "/python"

PACKAGES_FOLDER = "/packages"

OFFERED_PACKAGES = ("numpy", "pandas", "matplotlib", "scipy", "openpyxl")
"""Packages that a script can import if they are installed here, together with the packages that they need."""

_SYSTEM_PATHS = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
"""Paths of the system's shared libraries and time zones. Programs, configuration and users' files are left out."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or folder of the machine, read-only in the sandbox."""

    source: Path
    target: str

    @property
    def arguments(self) -> list[str]:
        """Arguments to bubblewrap."""
        if self.source.is_symlink() and str(self.source) == self.target:
            return ["--symlink", str(self.source.readlink()), self.target]
        return ["--ro-bind", str(self.source.resolve()), self.target]


def program() -> str:
    return f"{PYTHON_HOME}/bin/{_executable().name}"


def interpreter_binds() -> list[Bind]:
    """Return the system's libraries, and this Python without its site-packages."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [Bind(Path(path), path) for path in _SYSTEM_PATHS if Path(path).exists()]
    found += [Bind(_executable(), program()), Bind(library, f"{PYTHON_HOME}/{sys.platlibdir}/{library.name}")]
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        name = sysconfig.get_config_var("INSTSONAME")
        # If the interpreter was moved after it was built, the library is in the `lib` folder of its new place.
        # Otherwise, the library is in the folder where the build installed it.
        places = (Path(sys.base_prefix) / "lib", Path(sysconfig.get_config_var("LIBDIR")))
        # Debian's interpreter reports a shared library that it does not need. The library is in a separate package and
        # may be missing.
        shared = next((place / name for place in places if (place / name).exists()), None)
        if shared is not None:
            found.append(Bind(shared, f"{PYTHON_HOME}/lib/{name}"))
    return found


def hidden_folders() -> list[str]:
    """Return the folders in the standard library that a script must not see."""
    library = Path(sysconfig.get_path("stdlib"))
    return [
        f"{PYTHON_HOME}/{sys.platlibdir}/{library.name}/{name}"
        for name in ("site-packages", "dist-packages")
        if (library / name).is_dir()
    ]


def package_binds(names: Sequence[str] = OFFERED_PACKAGES) -> list[Bind]:
    """Return the top-level modules of the packages `names`, and of all packages that they require. The modules are
    found in the packages' lists of files. Packages that are not installed are left out."""
    found = {
        top: Bind(Path(str(one.locate_file(top))), f"{PACKAGES_FOLDER}/{top}")
        for one in _with_requirements(names)
        for top in _top_levels(one)
    }
    return [found[top] for top in sorted(found)]


def _executable() -> Path:
    return Path(sys.executable).resolve()


def _with_requirements(names: Sequence[str]) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            one = found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        requirements = map(Requirement, one.requires or ())
        waiting += [need.name for need in requirements if need.marker is None or need.marker.evaluate({"extra": ""})]
    return list(found.values())


def _top_levels(package: Distribution) -> Iterator[str]:
    tops = {file.parts[0] for file in package.files or ()}
    for top in tops - {"..", "__pycache__"}:
        if not top.endswith((".dist-info", ".egg-info", ".pth")):
            yield top
