"""Models whose weights are arrays of one file."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class StoredModel:
    """A model that reads its `file` at its first use."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        with np.load(self._file) as file:
            return dict(file)
