"""The catalog of all weight sets, read from the files `weights.toml`."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import models
from models.base import EngineUnavailable

_HUB = "https://huggingface.co"

_BLOCK = 1 << 20

_MIRRORS = (
    (re.compile(rf"{re.escape(_HUB)}(/.+)"), r"https://hf-mirror.com\1"),
    (
        re.compile(r"https://raw\.githubusercontent\.com/([^/]+/[^/]+)/([^/]+)/(.+)"),
        r"https://cdn.jsdelivr.net/gh/\1@\2/\3",
    ),
)
"""Patterns of addresses, and the addresses of complete mirrors. If a mirror changed a file, its checksum would no
longer match."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    url: str
    sha256: str
    """SHA-256 of the file, in hexadecimal digits."""
    path: str
    """Path below the weights directory, with forward slashes."""
    size: int | None = None
    """Size in bytes, if the publisher states it."""
    packaged: tuple[str, ...] = ()
    """The file in Python packages, as `package/path`: whole, or in pieces in this order. Empty if none has it."""

    def pieces(self, root: Path) -> tuple[Path, ...]:
        """Return the places of the file's pieces: the one file below `root` if it was fetched, else what is in
        packages, which are located and never imported. Empty if the file is nowhere, or a piece of it is missing."""
        if (root / self.path).is_file():
            return (root / self.path,)
        pieces = tuple(filter(None, map(_in_package, self.packaged)))
        return pieces if len(pieces) == len(self.packaged) else ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses to try, in order: the address on the operator's HF_ENDPOINT if one is set, the file's own address,
        and the addresses of its copies on mirrors. The checksum proves that the copies are equal."""
        sources = [self.url]
        for site, mirror in _MIRRORS:
            if match := site.match(self.url):
                sources.append(match.expand(mirror))
        if self.url.startswith(_HUB) and (endpoint := os.environ.get("HF_ENDPOINT", "").rstrip("/")):
            # This is the operator's own choice, by the variable that Hugging Face's tools read.
            sources.insert(0, self.url.replace(_HUB, endpoint, 1))
        return tuple(dict.fromkeys(sources))

    def is_whole(self, root: Path) -> bool:
        """Read the whole file, and return True if it is below `root` or in packages, and has the right checksum."""
        digest = hashlib.sha256()
        for piece in self.pieces(root):
            with piece.open("rb") as content:
                while block := content.read(_BLOCK):
                    digest.update(block)
        return digest.hexdigest() == self.sha256.lower()


def _in_package(place: str) -> Path | None:
    """Return the path of a file in an installed package; None if the package or the file is missing."""
    package, _, path = place.partition("/")
    spec = find_spec(package)
    found = Path(spec.origin).parent / path if spec is not None and spec.origin is not None else None
    return found if found is not None and found.is_file() else None


def shown_bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


@dataclass(frozen=True, slots=True)
class WeightSet:
    name: str
    """Name of the set in `openfaze pull`."""
    licence: str
    """SPDX expression."""
    files: tuple[WeightFile, ...]
    purpose: str = ""
    """Work of the engine that needs the set, in a few words."""
    about_mb: int | None = None
    """Rough size of all files in megabytes, if a publisher does not state it in bytes."""
    profiles: tuple[str, ...] = ()
    """Names of the profiles for which the set is fetched."""

    @property
    def size(self) -> int | None:
        """Size of all files in bytes; None if a publisher does not state it."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def about(self) -> int:
        """Size of all files in bytes, rough if a publisher does not state it."""
        return (self.about_mb or 0) * 10**6 if self.size is None else self.size

    @property
    def shown_size(self) -> str:
        """Size as shown to users: `1 MB`, `2.5 GB`, `~140 MB`."""
        if self.size is None:
            return f"~{self.about_mb} MB" if self.about_mb else "unknown size"
        return shown_bytes(self.size)

    @property
    def comes_from(self) -> str:
        """The origin of the weights, in a few words for users."""
        packages = dict.fromkeys(place.partition("/")[0] for file in self.files for place in file.packaged)
        names = " and ".join(f"'{package.replace('_', '-')}'" for package in packages)
        pulled = f"`openfaze pull {self.name}`"
        return f"inside {names}, or {pulled}" if names else pulled

    def missing(self, root: Path) -> list[WeightFile]:
        """Return the files that are neither below `root` nor in packages. Existing files are not checked: `pull` gives
        a file its final name only after checking it, and installers check packages."""
        return [file for file in self.files if not file.pieces(root)]

    def remedy(self, root: Path) -> str | None:
        """Return a sentence on how to get the files; None if they are here."""
        return f"Run `openfaze pull {self.name}`." if self.missing(root) else None

    def pieces(self, root: Path, capability: str) -> list[tuple[Path, ...]]:
        """Return the places of each file's pieces, in the order of `files`. Raises EngineUnavailable for `capability`
        if a file is missing."""
        if remedy := self.remedy(root):
            raise EngineUnavailable(capability, remedy)
        return [file.pieces(root) for file in self.files]

    def paths(self, root: Path, capability: str) -> list[Path]:
        """Return the files' paths, as `pieces` does, of a set whose files are whole everywhere."""
        return [path for (path,) in self.pieces(root, capability)]


def _tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(file for root in models.__path__ for file in Path(root).rglob("weights.toml")):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def _weight_set(name: str, row: Mapping[str, Any]) -> WeightSet:
    files = tuple(WeightFile(**{**file, "packaged": tuple(file.get("packaged", ()))}) for file in row["files"])
    profiles = tuple(row.get("profiles", ()))
    return WeightSet(name, row["licence"], files, row["purpose"], row.get("about_mb"), profiles)


_TABLES = _tables()

WEIGHT_SETS: Mapping[str, WeightSet] = {name: _weight_set(name, row) for name, row in _TABLES.items()}
"""All weight sets by name."""

RECOMMENDED: Mapping[str, str] = {
    row["recommended_for"]: name for name, row in _TABLES.items() if "recommended_for" in row
}
"""Weight set that `openfaze pull <capability>` fetches, by capability, unless the operator chose an engine that needs
another set."""
