"""Downloads sets of weights into the weights directory. A file gets its final name only once it is complete and has the
right checksum."""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from models.base import ModelError
from models.weights.files import WeightFile, WeightSet

Progress = Callable[["WeightFile", int, int | None], None]
"""Function that is called with a file, the number of its bytes that have been fetched, and its total number of bytes
(None if unknown)."""

_BLOCK = 1 << 20

_CONNECT_S, _SILENCE_S = 10.0, 30.0
"""Largest number of seconds to wait for a connection, and for the next bytes."""


class PullFailed(ModelError):
    """Raised if `file` could not be fetched. `reason` is a clause; the message names the address and the remedy."""

    def __init__(self, file: WeightFile, target: Path, reason: str) -> None:
        super().__init__(
            f"Could not fetch {file.sources[0]}: {reason}. Run the command again, or fetch the file by other means "
            f"(sha256 {file.sha256}) and put it at {target}."
        )
        self.file = file
        self.reason = reason


class _ChecksumMismatch(Exception):
    """Raised if the downloaded file has a different checksum, which is the message."""


def pull(
    weight_set: WeightSet, root: Path, *, client: httpx.Client | None = None, progress: Progress | None = None
) -> None:
    """Fetch each file of `weight_set` that is missing below `root` or has a different checksum. Raises PullFailed;
    files that were fetched before the failure are kept.

    A later call resumes an interrupted file. If several processes or threads pull the same file, one of them fetches it
    and the others wait.
    """
    with _http_client(client) as http:
        for file in weight_set.files:
            if not file.is_whole(root):
                _fetch(file, root, http, progress or (lambda _file, _done, _total_size: None))


def _http_client(client: httpx.Client | None) -> contextlib.AbstractContextManager[httpx.Client]:
    """Return `client`, which stays open after the block, or else a new client that follows redirects, because hubs
    redirect to their storage."""
    if client is not None:
        return contextlib.nullcontext(client)
    return httpx.Client(follow_redirects=True, timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S))


def _fetch(file: WeightFile, root: Path, http: httpx.Client, progress: Progress) -> None:
    target = root / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The operating system holds the lock: it is released when the process dies.
        from filelock import FileLock

        with FileLock(_hidden_sibling(target, "lock")):
            if not file.is_whole(root):
                _download(file, target, http, progress)
    except _ChecksumMismatch as error:
        raise PullFailed(file, target, f"its sha256 is {error}, not {file.sha256}") from error
    except httpx.HTTPStatusError as error:
        raise PullFailed(file, target, f"the server answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise PullFailed(file, target, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise PullFailed(file, target, f"it cannot be written ({error})") from error


def _hidden_sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}")


def _download(file: WeightFile, target: Path, http: httpx.Client, progress: Progress) -> None:
    part = _hidden_sibling(target, "part")
    failures: list[Exception] = []
    for url in file.sources:
        is_begun = part.exists() and part.stat().st_size > 0
        try:
            try:
                _download_rest(file, url, target, part, http, progress)
            except _ChecksumMismatch:
                if not is_begun:
                    raise
                # Download the whole file, because the part that was here may belong to another version of it, or come
                # from another source.
                _download_rest(file, url, target, part, http, progress)
        except (_ChecksumMismatch, httpx.HTTPError, PullFailed) as error:
            failures.append(error)
        else:
            part.replace(target)
            return
    raise failures[0]


def _download_rest(
    file: WeightFile, url: str, target: Path, part: Path, http: httpx.Client, progress: Progress
) -> None:
    """Append the missing rest to `part`. A complete file with a different checksum is deleted."""
    try:
        with part.open("ab+") as out:
            digest = _append_rest(file, url, target, http, out, progress)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        if not part.stat().st_size:
            part.unlink()
        raise
    if digest != file.sha256.lower():
        part.unlink()
        raise _ChecksumMismatch(digest)


def _append_rest(
    file: WeightFile, url: str, target: Path, http: httpx.Client, out: BinaryIO, progress: Progress
) -> str:
    """Append the rest of the body to `out`, and return the SHA-256 of the whole file."""
    digest, done = hashlib.sha256(), 0
    out.seek(0)
    while block := out.read(_BLOCK):
        digest.update(block)
        done += len(block)
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={done}-"} if done else {})
    with http.stream("GET", url, headers=headers) as response:
        if done and not _continues(response, done):
            digest, done = _discard_content(out)
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return _append_rest(file, url, target, http, out, progress)
        response.raise_for_status()
        total = file.size or _total_size(response, done)
        for block in response.iter_bytes(_BLOCK):
            done += len(block)
            if file.size is not None and done > file.size:
                _discard_content(out)
                raise PullFailed(file, target, f"it is larger than the expected {file.size} bytes")
            digest.update(block)
            out.write(block)
            progress(file, done, total)
    return digest.hexdigest()


def _continues(response: httpx.Response, done: int) -> bool:
    """True if the body continues right after the `done` bytes that are here."""
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get("content-range", "").startswith(
        f"bytes {done}-"
    )


def _total_size(response: httpx.Response, done: int) -> int | None:
    length = response.headers.get("content-length", "")
    return done + int(length) if length.isdecimal() else None


def _discard_content(out: BinaryIO) -> tuple[Any, int]:
    out.truncate(0)
    return hashlib.sha256(), 0
