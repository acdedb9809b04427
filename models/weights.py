"""How weights reach the weights directory: streamed, checked, and there only when they are whole."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from models.base import ModelError

Progress = Callable[["WeightFile", int], None]
"""Called with a file and how many of its bytes have arrived."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    url: str
    sha256: str
    """Hexadecimal."""
    path: str
    """Below the weights directory, with forward slashes."""
    size: int | None = None
    """In bytes, where the publisher states it."""


@dataclass(frozen=True, slots=True)
class WeightSet:
    name: str
    """What `openfaze pull` calls it."""
    licence: str
    """SPDX expression."""
    files: tuple[WeightFile, ...]

    def missing(self, root: Path) -> list[WeightFile]:
        """Files that are not below `root`. Those that are were checked before they got their names."""
        return [file for file in self.files if not (root / file.path).is_file()]


class PullFailed(ModelError):
    """`file` could not be fetched. `reason` is a clause; the message names the address and the remedy."""

    def __init__(self, file: WeightFile, target: Path, reason: str) -> None:
        super().__init__(
            f"Could not fetch {file.url}: {reason}. Run the command again, or fetch the file by other means "
            f"(sha256 {file.sha256}) and put it at {target}."
        )
        self.file = file


def pull(
    weight_set: WeightSet, root: Path, *, client: httpx.Client | None = None, progress: Progress | None = None
) -> None:
    """Fetches what `weight_set` lacks below `root`. Raises PullFailed; files that came before stay.

    An interrupted file starts again. Processes that pull at the same time do not meet: each writes a file of its
    own and renames it to the same, checked content.
    """
    with _opened(client) as http:
        for file in weight_set.missing(root):
            _fetch(file, root / file.path, http, progress or (lambda _file, _done: None))


def _opened(client: httpx.Client | None) -> contextlib.AbstractContextManager[httpx.Client]:
    """`client`, left open afterwards, or a new one; hubs redirect to their storage."""
    if client is not None:
        return contextlib.nullcontext(client)
    return httpx.Client(follow_redirects=True, timeout=30)


def _fetch(file: WeightFile, target: Path, http: httpx.Client, progress: Progress) -> None:
    try:
        _download(file, target, http, progress)
    except httpx.HTTPStatusError as error:
        raise PullFailed(file, target, f"the server answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise PullFailed(file, target, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        raise PullFailed(file, target, f"it cannot be written ({error})") from error


def _download(file: WeightFile, target: Path, http: httpx.Client, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, and not of tempfile's, whose files only their owner may read.
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    with part.open("xb") as out:
        try:
            digest = _stream(file, target, http, out, progress)
            out.flush()
            os.fsync(out.fileno())
            if digest != file.sha256.lower():
                raise PullFailed(file, target, f"its sha256 is {digest}, not {file.sha256}")
        except BaseException:
            part.unlink()
            raise
    part.replace(target)


def _stream(file: WeightFile, target: Path, http: httpx.Client, out: BinaryIO, progress: Progress) -> str:
    """Writes the body to `out` and returns its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with http.stream("GET", file.url, headers={"accept-encoding": "identity"}) as response:
        response.raise_for_status()
        for block in response.iter_bytes(1 << 20):
            done += len(block)
            if file.size is not None and done > file.size:
                raise PullFailed(file, target, f"it is larger than its {file.size} bytes")
            digest.update(block)
            out.write(block)
            progress(file, done)
    if file.size is not None and done != file.size:
        raise PullFailed(file, target, f"it ended after {done} of {file.size} bytes")
    return digest.hexdigest()
