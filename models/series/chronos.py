"""Forecasting engine: Chronos-2, a pretrained network that forecasts any series, on a GPU or a CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineSpec
from models.capability import is_installed
from models.series.forecaster import COVERAGE, Outlook, Series

FOLDER = "chronos-2"
SPEC = EngineSpec(FOLDER, "forecast", "Apache-2.0", f"the folder '{FOLDER}' (amazon/chronos-2)")

_QUANTILES = [round((1 - COVERAGE) / 2, 3), 0.5, round((1 + COVERAGE) / 2, 3)]


def remedy(folder: Path) -> str | None:
    """Return a sentence that says how to install what the engine lacks; None if the engine can run here. The model is
    not loaded."""
    if not (folder / "config.json").is_file():
        return f"Run `hf download amazon/chronos-2 --local-dir {FOLDER}` in the folder OPENFAZE_WEIGHTS_DIR."
    if not is_installed("torch", "chronos"):
        return "Install PyTorch and chronos-forecasting: `openfaze install gpu`."
    return None


class Chronos2:
    """Implementation of `models.base.Engine` from a Series to its Outlook. The network detects seasons by itself."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` contains the model's files from Hugging Face."""
        self._folder = folder
        self._device = device
        self._pipeline: Any = None

    def load(self) -> None:
        """Load the model. Raises EngineUnavailable if OPENFAZE_DEVICE names a GPU that does not exist."""
        from chronos import Chronos2Pipeline

        from models.devices.device import TORCH

        device = TORCH.check(self._device, SPEC.capability)
        self._pipeline = Chronos2Pipeline.from_pretrained(str(self._folder), device_map=device, local_files_only=True)

    def run(self, batch: Sequence[Series]) -> Sequence[Outlook | Exception]:
        # Series are computed one at a time: in a batch, each is padded to the longest, which changes its forecast a
        # little.
        return [self._outlook_or_error(series) for series in batch]

    def close(self) -> None:
        self._pipeline = None

    def _outlook_or_error(self, series: Series) -> Outlook | Exception:
        try:
            return self._outlook(series)
        except Exception as error:  # noqa: BLE001 - an error is the result of its series
            return error

    def _outlook(self, series: Series) -> Outlook:
        known = series.values[-self._pipeline.model_context_length :].astype(np.float32)
        [quantiles], _ = self._pipeline.predict_quantiles(
            [known], prediction_length=series.horizon, quantile_levels=_QUANTILES
        )
        found = quantiles[0].float().cpu().numpy().astype(np.float64)
        # A network's quantiles may cross.
        lower, value, upper = np.sort(found, axis=-1).T
        return Outlook(value, lower, upper, SPEC.name)
