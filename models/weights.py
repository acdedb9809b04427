"""Which sets of weights there are, and how they reach the weights directory: streamed, checked, and there only when
they are whole; by hand, or when an engine asks for them as it loads."""

import contextlib
import hashlib
import os
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import httpx

import models
from models.base import EngineUnavailable, ModelError

Progress = Callable[["WeightFile", int, int | None], None]
"""Called with a file, how many of its bytes are here, and how many there are where that is known."""

_HUB = "https://huggingface.co"
_MIRRORS = (
    (re.compile(rf"{re.escape(_HUB)}(/.+)"), r"https://hf-mirror.com\1"),
    (
        re.compile(r"https://raw\.githubusercontent\.com/([^/]+/[^/]+)/([^/]+)/(.+)"),
        r"https://cdn.jsdelivr.net/gh/\1@\2/\3",
    ),
)
"""Sites, and where they are mirrored whole under the same paths. Whoever runs a mirror cannot change a file unseen."""
_BLOCK = 1 << 20
_CONNECT_S, _SILENCE_S = 10.0, 30.0
"""Seconds to wait for a connection, and for the next bytes."""


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
    """Those that it is fetched for."""

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


class PullFailed(ModelError):
    """`file` could not be fetched. `reason` is a clause; the message names the address and the remedy."""

    def __init__(self, file: WeightFile, target: Path, reason: str) -> None:
        super().__init__(
            f"Could not fetch {file.sources[0]}: {reason}. Run the command again, or fetch the file by other means "
            f"(sha256 {file.sha256}) and put it at {target}."
        )
        self.file = file
        self.reason = reason


class _AnotherFile(Exception):
    """What came has another checksum."""


def pull(
    weight_set: WeightSet, root: Path, *, client: httpx.Client | None = None, progress: Progress | None = None
) -> None:
    """Fetches what `weight_set` lacks below `root`, and what is there with another checksum. Raises PullFailed; files
    that came before stay.

    An interrupted file goes on where it stopped. Of several processes and threads that pull the same file, one fetches
    and the others wait for it.
    """
    with _opened(client) as http:
        for file in weight_set.files:
            if not file.is_whole(root):
                _fetch(file, root, http, progress or (lambda _file, _done, _total: None))


def _opened(client: httpx.Client | None) -> contextlib.AbstractContextManager[httpx.Client]:
    """`client`, left open afterwards, or a new one; hubs redirect to their storage."""
    if client is not None:
        return contextlib.nullcontext(client)
    return httpx.Client(follow_redirects=True, timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S))


def _fetch(file: WeightFile, root: Path, http: httpx.Client, progress: Progress) -> None:
    target = root / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Held by the operating system: a process that dies lets go of it.
        from filelock import FileLock

        with FileLock(_beside(target, "lock")):
            if not file.is_whole(root):
                _download(file, target, http, progress)
    except _AnotherFile as error:
        raise PullFailed(file, target, f"its sha256 is {error}, not {file.sha256}") from error
    except httpx.HTTPStatusError as error:
        raise PullFailed(file, target, f"the server answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise PullFailed(file, target, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise PullFailed(file, target, f"it cannot be written ({error})") from error


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}")


def _download(file: WeightFile, target: Path, http: httpx.Client, progress: Progress) -> None:
    part = _beside(target, "part")
    begun = part.stat().st_size if part.exists() else 0
    failures: list[Exception] = []
    for url in file.sources:
        try:
            try:
                _complete(file, url, target, part, http, progress)
            except _AnotherFile:
                if not begun:
                    raise
                # The beginning may have been of another file.
                _complete(file, url, target, part, http, progress)
        except (_AnotherFile, httpx.HTTPError, PullFailed) as error:
            failures.append(error)
        else:
            part.replace(target)
            return
    raise failures[0]


def _complete(file: WeightFile, url: str, target: Path, part: Path, http: httpx.Client, progress: Progress) -> None:
    """Appends to `part` what it lacks. A whole file with another checksum is deleted."""
    try:
        with part.open("ab+") as out:
            digest = _stream(file, url, target, http, out, progress)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        if not part.stat().st_size:
            part.unlink()
        raise
    if digest != file.sha256.lower():
        part.unlink()
        raise _AnotherFile(digest)


def _stream(file: WeightFile, url: str, target: Path, http: httpx.Client, out: BinaryIO, progress: Progress) -> str:
    """Writes the rest of the body to `out` and returns the SHA-256 of all of it."""
    digest, done = hashlib.sha256(), 0
    out.seek(0)
    while block := out.read(_BLOCK):
        digest.update(block)
        done += len(block)
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={done}-"} if done else {})
    with http.stream("GET", url, headers=headers) as response:
        if done and not _goes_on(response, done):
            digest, done = _from_the_start(out)
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return _stream(file, url, target, http, out, progress)
        response.raise_for_status()
        total = file.size or _total(response, done)
        for block in response.iter_bytes(_BLOCK):
            done += len(block)
            if file.size is not None and done > file.size:
                _from_the_start(out)
                raise PullFailed(file, target, f"it is larger than its {file.size} bytes")
            digest.update(block)
            out.write(block)
            progress(file, done, total)
    if file.size is not None and done != file.size:
        _from_the_start(out)
        raise PullFailed(file, target, f"it ended after {done} of {file.size} bytes")
    return digest.hexdigest()


def _goes_on(response: httpx.Response, done: int) -> bool:
    """Whether the body begins after the `done` bytes that are here."""
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get("content-range", "").startswith(
        f"bytes {done}-"
    )


def _total(response: httpx.Response, done: int) -> int | None:
    length = response.headers.get("content-length", "")
    return done + int(length) if length.isdecimal() else None


def _from_the_start(out: BinaryIO) -> tuple[Any, int]:
    out.truncate(0)
    return hashlib.sha256(), 0


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


AUTO_PULL_BYTES = 100_000_000
"""Sets up to this size are fetched at first use; larger ones by `openfaze pull` only."""
_RETRY_S = 30.0
"""Seconds after a failed fetch in which requests fail at once instead of trying again."""

Fetch = Callable[[WeightSet, Path], None]


class WeightsMissing(EngineUnavailable):
    """The weights are not there, and could not be fetched or may not be."""

    reason_label = "weights"


class Supply:
    """One set of weights for one engine. `ready` belongs in a thread: it may download, and reads every byte.

    >>> supply = Supply(FASTESTDET, "object_detection", config.weights_dir, auto_pull=config.auto_pull)
    >>> [network] = supply.ready()
    """

    def __init__(
        self, weights: WeightSet, capability: str, root: Path, *, auto_pull: bool, fetch: Fetch = pull
    ) -> None:
        self._weights = weights
        self._capability = capability
        self._root = root
        self._fetch = fetch
        self._fetches_itself = auto_pull and weights.size is not None and weights.size <= AUTO_PULL_BYTES
        self._one_at_a_time = Lock()
        self._failed: tuple[float, str] | None = None

    def __getstate__(self) -> dict[str, object]:
        """For another process, which has its own turns and failures."""
        return {name: value for name, value in vars(self).items() if name not in ("_one_at_a_time", "_failed")}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _one_at_a_time=Lock(), _failed=None)

    def remedy(self) -> str | None:
        """What would provide the weights; None where they are there, or will be fetched. Looks at names only."""
        missing = self._weights.missing(self._root)
        return None if not missing or self._fetches_itself else self._to_do(missing)

    def ready(self) -> list[Path]:
        """The files, each with its checksum. Raises EngineUnavailable: files that are missing, cannot be fetched, or
        hold something else."""
        with self._one_at_a_time:
            if missing := self._weights.missing(self._root):
                self._provide(missing)
            for file in self._weights.files:
                if not file.is_whole(self._root):
                    raise EngineUnavailable(
                        self._capability,
                        f"The file '{file.path}' in OPENFAZE_WEIGHTS_DIR is damaged or another one: its sha256 is not "
                        f"{file.sha256}, and it is not loaded. `openfaze pull {self._weights.name}` replaces it.",
                    )
        return [self._root / file.path for file in self._weights.files]

    def _provide(self, missing: list[WeightFile]) -> None:
        if not self._fetches_itself:
            raise WeightsMissing(self._capability, self._to_do(missing))
        if self._failed is None or time.monotonic() - self._failed[0] > _RETRY_S:
            self._failed = None
            try:
                self._fetch(self._weights, self._root)
            except PullFailed as error:
                self._failed = time.monotonic(), f"Fetching '{error.file.path}' failed: {_reason(error)}."
        if self._failed is not None:
            raise WeightsMissing(self._capability, f"{self._failed[1]} {self._to_do(missing)}")

    def _to_do(self, missing: list[WeightFile]) -> str:
        by_hand = ", ".join(f"{file.url} (sha256 {file.sha256}) as '{file.path}'" for file in missing)
        return f"Run `openfaze pull {self._weights.name}`, or put {by_hand} into OPENFAZE_WEIGHTS_DIR."


def _reason(error: PullFailed) -> str:
    """Clients see the remedy: an error of the file system would name the server's folders."""
    return "it cannot be written there" if isinstance(error.__cause__, OSError) else error.reason
