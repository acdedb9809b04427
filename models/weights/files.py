"""The catalog of all weight sets, read from the files `weights.toml`."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models

_HUB = "https://huggingface.co"

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
        """Read the whole file, and return True if it is below `root` and has the right checksum."""
        try:
            with (root / self.path).open("rb") as content:
                return hashlib.file_digest(content, "sha256").hexdigest() == self.sha256.lower()
        except (FileNotFoundError, NotADirectoryError):
            return False


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

    def missing(self, root: Path) -> list[WeightFile]:
        """Return the files that are not below `root`. Existing files are not checked, because `pull` gives a file its
        final name only after checking it."""
        return [file for file in self.files if not (root / file.path).is_file()]


def _tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(file for root in models.__path__ for file in Path(root).rglob("weights.toml")):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def _weight_set(name: str, row: Mapping[str, Any]) -> WeightSet:
    files = tuple(WeightFile(**file) for file in row["files"])
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
