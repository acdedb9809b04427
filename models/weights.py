"""The sets of weights that there are, as the files `weights.toml` list them."""

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
"""Sites, and where they are mirrored whole under the same paths. Whoever runs a mirror cannot change a file unseen."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    url: str
    sha256: str
    """Hexadecimal."""
    path: str
    """Below the weights directory, with forward slashes."""
    size: int | None = None
    """In bytes, where the publisher states it."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses of the same file, which its checksum proves: its own, then mirrors of the site that it is on."""
        sources = [self.url]
        for site, mirror in _MIRRORS:
            if match := site.match(self.url):
                sources.append(match.expand(mirror))
        if self.url.startswith(_HUB) and (endpoint := os.environ.get("HF_ENDPOINT", "").rstrip("/")):
            # The operator's own choice, by the variable that Hugging Face's tools read.
            sources.insert(0, self.url.replace(_HUB, endpoint, 1))
        return tuple(dict.fromkeys(sources))

    def is_whole(self, root: Path) -> bool:
        """Whether the file below `root` has its checksum; False where there is none. Reads all of it."""
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
    """What `openfaze pull` calls it."""
    licence: str
    """SPDX expression."""
    files: tuple[WeightFile, ...]
    purpose: str = ""
    """What its engine does with it, in a few words."""
    about_mb: int | None = None
    """Megabytes of all its files, roughly, where a publisher does not state them in bytes."""
    pairs: tuple[tuple[str, str], ...] = ()
    """The pairs of a translation model for certain languages: from which into which."""
    profiles: tuple[str, ...] = ()
    """The profiles that the set is fetched for."""

    @property
    def size(self) -> int | None:
        """In bytes; None where a publisher does not state it."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def about(self) -> int:
        """In bytes, roughly."""
        return (self.about_mb or 0) * 10**6 if self.size is None else self.size

    @property
    def shown_size(self) -> str:
        """`1 MB`, `2.5 GB`, `~140 MB`."""
        if self.size is None:
            return f"~{self.about_mb} MB" if self.about_mb else "unknown size"
        return shown_bytes(self.size)

    def missing(self, root: Path) -> list[WeightFile]:
        """Files that are not below `root`. Those that `pull` put there were checked before they got their names."""
        return [file for file in self.files if not (root / file.path).is_file()]


def _tables() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(file for root in models.__path__ for file in Path(root).rglob("weights.toml")):
        found |= tomllib.loads(file.read_text("utf-8"))
    return found


def _weight_set(name: str, row: Mapping[str, Any]) -> WeightSet:
    files = tuple(WeightFile(**file) for file in row["files"])
    pairs = tuple((source, target) for source, target in row.get("pairs", ()))
    profiles = tuple(row.get("profiles", ()))
    return WeightSet(name, row["licence"], files, row["purpose"], row.get("about_mb"), pairs, profiles)


_TABLES = _tables()

WEIGHT_SETS: Mapping[str, WeightSet] = {name: _weight_set(name, row) for name, row in _TABLES.items()}
"""By name."""

RECOMMENDED: Mapping[str, str] = {
    row["recommended_for"]: name for name, row in _TABLES.items() if "recommended_for" in row
}
"""The set that `openfaze pull <capability>` fetches, unless the operator chose an engine of another one."""
