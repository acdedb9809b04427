"""The command and the environment of a Python process that openfaze starts, which imports nothing from the current
folder: a file `numpy.py` in a folder of downloads would otherwise run there."""

import os
import sys

_KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPYCACHEPREFIX")
"""Python's own variables that a process inherits: where its library is, and where compiled modules are kept."""


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` in this interpreter, without the current folder in its module path."""
    # Libraries' warnings about unusual files do not help an operator.
    return [sys.executable, "-P", "-W", "ignore", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return this process's environment without its secrets, but with its module path, so that installations, checkouts
    and test modules are found in the same way."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.upper().startswith(("OPENFAZE_", "PYTHON"))
    }
    # A relative entry would stand for the current folder, or for a folder in it.
    return kept | {"PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}
