"""Engines that compute each input only once, in the process that calls `remember`.

This is meant for tests that send the same input repeatedly, and are about the parts before or after the engine.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from models.series.forecaster import Forecaster, Outlook, Series
from models.speech.transcriber import SpeechWindow, WindowText
from models.speech.whisper import Whisper
from models.vision.ppocr.reader import PpOcrReader
from models.vision.text import Image
from tests.kit.audio.speech import transcribed


def remember(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Replace the methods that read a picture, hear windows of speech and forecast a series, each by `put`."""
    read, run, forecast = PpOcrReader.read, Whisper.run, Forecaster.forecast
    outlooks: dict[Any, Outlook] = {}
    pages: dict[Any, Any] = {}
    sounds: dict[Any, Any] = {}

    async def read_once(self: PpOcrReader, image: Image, **options: Any) -> Any:
        key = image.shape, image.tobytes()
        if key not in pages:
            pages[key] = await read(self, image, **options)
        return pages[key]

    def hear_once(self: Whisper, batch: Sequence[SpeechWindow]) -> Sequence[WindowText | Exception]:
        folder = self._files.folder
        keys = [(folder, one.samples.tobytes(), one.language, one.translate, one.prompt) for one in batch]
        for key, window in zip(keys, batch, strict=True):
            if key not in sounds:
                [sounds[key]] = transcribed(partial(run, self), [window])
        return [sounds[key] for key in keys]

    async def forecast_once(self: Forecaster, series: Series, *, wait: bool = False) -> Outlook:
        key = series.values.tobytes(), series.horizon, series.seasons
        if key not in outlooks:
            outlooks[key] = await forecast(self, series, wait=wait)
        return outlooks[key]

    put(Forecaster, "forecast", forecast_once)
    put(PpOcrReader, "read", read_once)
    put(Whisper, "run", hear_once)
