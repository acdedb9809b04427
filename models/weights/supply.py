"""Provides the files of one engine's weights. A small set is downloaded when the engine loads."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from models.base import EngineUnavailable
from models.weights.files import WeightFile, WeightSet
from models.weights.pulling import PullFailed, pull

AUTO_PULL_BYTES = 100_000_000
"""A set of weights of at most this size, in bytes, is fetched at its first use. Larger sets are fetched only by
`openfaze pull`."""

_RETRY_S = 30.0
"""Requests fail at once, instead of trying again, for this many seconds after a failed fetch."""

Fetch = Callable[[WeightSet, Path], None]


class WeightsMissing(EngineUnavailable):
    """Raised if weights are missing and fetching them failed or is not allowed."""

    reason_label = "weights"


class Supply:
    """Provides one set of weights to one engine.

    Call `ensure_files` in a thread, because it may download files and reads every byte of them.

    >>> supply = Supply(FASTESTDET, "object_detection", config.weights_dir, auto_pull=config.auto_pull)
    >>> [network] = supply.ensure_files()
    """

    def __init__(
        self, weights: WeightSet, capability: str, root: Path, *, auto_pull: bool, fetch: Fetch = pull
    ) -> None:
        self._weights = weights
        self._capability = capability
        self._root = root
        self._fetch = fetch
        self._fetches_automatically = auto_pull and weights.size is not None and weights.size <= AUTO_PULL_BYTES
        self._lock = Lock()
        self._last_failure: tuple[float, str] | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave out the lock and the last failure, because another process needs its own."""
        return {name: value for name, value in vars(self).items() if name not in ("_lock", "_last_failure")}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _lock=Lock(), _last_failure=None)

    def remedy(self) -> str | None:
        """Return a sentence that says how to provide the weights, or None if all files exist or will be fetched. Only
        the files' names are checked, not their contents."""
        missing = self._weights.missing(self._root)
        return None if not missing or self._fetches_automatically else self._remedy_for(missing)

    def ensure_files(self) -> list[Path]:
        """Fetch missing files, check all checksums, and return the files' paths.

        Raises EngineUnavailable if files are missing and cannot be fetched, or if a file has a different checksum.
        """
        with self._lock:
            if missing := self._weights.missing(self._root):
                self._fetch_missing(missing)
            for file in self._weights.files:
                if not file.is_whole(self._root):
                    raise EngineUnavailable(
                        self._capability,
                        f"The file '{file.path}' in OPENFAZE_WEIGHTS_DIR is damaged or a different file: its sha256 is "
                        f"not {file.sha256}, and it is not loaded. `openfaze pull {self._weights.name}` replaces it.",
                    )
        return [self._root / file.path for file in self._weights.files]

    def _fetch_missing(self, missing: list[WeightFile]) -> None:
        if not self._fetches_automatically:
            raise WeightsMissing(self._capability, self._remedy_for(missing))
        if self._last_failure is None or time.monotonic() - self._last_failure[0] > _RETRY_S:
            self._last_failure = None
            try:
                self._fetch(self._weights, self._root)
            except PullFailed as error:
                self._last_failure = time.monotonic(), f"Fetching '{error.file.path}' failed: {_public_reason(error)}."
        if self._last_failure is not None:
            raise WeightsMissing(self._capability, f"{self._last_failure[1]} {self._remedy_for(missing)}")

    def _remedy_for(self, missing: list[WeightFile]) -> str:
        by_hand = ", ".join(f"{file.url} (sha256 {file.sha256}) as '{file.path}'" for file in missing)
        return f"Run `openfaze pull {self._weights.name}`, or put {by_hand} into OPENFAZE_WEIGHTS_DIR."


def _public_reason(error: PullFailed) -> str:
    """Return why a fetch failed, in words that clients may see. The message of a file system error is replaced, because
    it names the server's folders."""
    return "it cannot be written there" if isinstance(error.__cause__, OSError) else error.reason
