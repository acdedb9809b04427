"""Do the locks install on the machines that are not here? Has uv look for the wheels, and fetches none.

    python requirements/resolve.py

Says for each lock, Python and platform how many packages it would install, or why it cannot, and then exits with 1. A
package counts whose wheel fits, or that is known to be built from source.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PYTHONS = ("3.11", "3.14")
"""The ends of `requires-python`."""
LINUX, LINUX_ARM, MACOS_ARM = "x86_64-manylinux_2_36", "aarch64-manylinux_2_36", "aarch64-apple-darwin"
"""glibc 2.36 is Debian 12's."""
LOCKS = {
    "build": (LINUX, LINUX_ARM, MACOS_ARM),
    "embedded": (LINUX, LINUX_ARM, MACOS_ARM),
    "dev": (LINUX, LINUX_ARM, MACOS_ARM),
    # Its packages of NVIDIA's have no wheels elsewhere.
    "gpu": (LINUX,),
}
MACOS = "15.0"
"""The oldest macOS for which PyAV has a wheel."""


def sources(python: str, platform: str) -> Iterator[str]:
    """The packages that are built where they are installed."""
    yield "jstyleson"  # nothing but Python
    if python == "3.14" and platform != LINUX:
        yield "chardetng-py"  # which takes a compiler of Rust


def resolved(lock: str, python: str, platform: str) -> tuple[bool, str]:
    """True if the lock can be installed there, and what uv says."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(  # noqa: S603 - uv of this environment
            [
                *(Path(sys.executable).with_name("uv"), "pip", "install", "--dry-run", "--no-deps", "--require-hashes"),
                *("--python-version", python, "--python-platform", platform, "--target", f"{empty}/packages"),
                *("--only-binary", ":all:"),
                *(option for name in sources(python, platform) for option in ("--no-binary", name)),
                *("-r", Path(__file__).with_name(f"{lock}.txt")),
            ],
            env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS},
            capture_output=True,
            text=True,
            check=False,
        )
    count = re.search(r"Would install (\d+) packages", done.stderr)
    return done.returncode == 0 and count is not None, f"{count[1]} packages" if count else done.stderr.strip()


def main() -> int:
    failed = False
    for lock, platforms in LOCKS.items():
        for python in PYTHONS:
            for platform in platforms:
                fits, said = resolved(lock, python, platform)
                failed |= not fits
                print(f"{lock}.txt, Python {python}, {platform}: {said}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
