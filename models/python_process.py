"""The command and the environment of a process that openfaze starts, which imports and loads nothing from the current
folder: a file `numpy.py` or `libc.so.6` in a folder of downloads would otherwise run there."""

import os
import sys

LIBRARY_PATH = "LD_LIBRARY_PATH"
_KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPYCACHEPREFIX")
"""Python's own variables that a process inherits: where its library is, and where compiled modules are kept."""


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` in this interpreter, without the current folder in its module path."""
    # Libraries' warnings about unusual files do not help an operator.
    return [sys.executable, "-P", "-W", "ignore", "-m", module, *arguments]


def clean_library_path() -> None:
    """Remove the current folder from the folders where processes look for shared libraries. OpenCV adds it when it is
    imported: after its own folders it leaves an empty entry, which stands for the current folder."""
    path = os.environ.get(LIBRARY_PATH, "")
    absolute = os.pathsep.join(filter(os.path.isabs, path.split(os.pathsep)))
    if absolute != path:
        os.environ[LIBRARY_PATH] = absolute


def python_environment() -> dict[str, str]:
    """Return this process's environment without its secrets, but with its module path, so that installations, checkouts
    and test modules are found in the same way."""
    clean_library_path()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.upper().startswith(("OPENFAZE_", "PYTHON"))
    }
    # A relative entry would stand for the current folder, or for a folder in it.
    return kept | {"PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}
