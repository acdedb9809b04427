"""Speech with known words for tests and measurements: made by espeak-ng, or real clips kept next to the checkout.

>>> made = say("Good morning.", voice="en-gb")
>>> recording = in_a_row([made, pause(2.0), say("Guten Tag.", voice="de")])
>>> word_errors("Good morning. Guten Tag.", text)
"""

import functools
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.base import Unfinished

Samples = NDArray[np.float32]
"""Samples as float32[n], one channel at RATE."""

RATE = 16_000

JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
"""Words spoken in the sample `speech_jfk.flac`."""

SENTENCES = (
    "Good morning everybody, and thank you for coming.",
    "Today we will talk about the budget for the next year, and about the new office in the centre of the city.",
    "The train to the airport leaves every twenty minutes from platform nine.",
    "Please keep your tickets ready.",
    "I went to the market and bought three apples, a loaf of bread and some cheese.",
    "Then it started to rain.",
    "Our results show that the temperature rises slowly during the night.",
    "We do not know the reason yet.",
    "Could you send me the report before Friday afternoon?",
    "The doctor said that she should rest for a few days and drink a lot of water.",
    "My brother works in a small restaurant near the river.",
    "It is open every day except Monday.",
    "When the children came home from school, they were tired and hungry.",
    "The price of coffee has gone up again this month.",
    "Nobody knows how the story will end.",
    "There are two large windows on the left side of the room.",
    "She opened the door, looked around, and closed it again.",
    "We have to leave early tomorrow because the road is long.",
    "The museum shows pictures from the last hundred years.",
    "Let me explain how this machine works.",
    "First you press the green button, and then you wait until the light goes out.",
    "He has lived in this village since he was a child.",
    "The meeting was moved from Tuesday to Thursday.",
    "I would like a cup of tea and a piece of cake, please.",
)
VOICES = ("en-us", "en-gb", "en-us+f3", "en-us+m3", "en-gb-x-rp+f2", "en-us+f5")

FOREIGN = {
    "de": "Guten Morgen zusammen. Heute sprechen wir über den Haushalt für das nächste Jahr und über das neue Büro.",
    "fr": "Bonjour à tous. Aujourd'hui nous allons parler du budget de l'année prochaine et du nouveau bureau.",
    "es": "Buenos días a todos. Hoy vamos a hablar del presupuesto del próximo año y de la nueva oficina.",
    "it": "Buongiorno a tutti. Oggi parleremo del bilancio del prossimo anno e del nuovo ufficio nel centro.",
    "pt": "Bom dia a todos. Hoje vamos falar do orçamento do próximo ano e do novo escritório no centro.",
    "nl": "Goedemorgen allemaal. Vandaag praten we over de begroting voor volgend jaar en over het nieuwe kantoor.",
    "pl": "Dzień dobry wszystkim. Dzisiaj porozmawiamy o budżecie na przyszły rok i o nowym biurze w centrum miasta.",
    "ru": "Доброе утро всем. Сегодня мы поговорим о бюджете на следующий год и о новом офисе в центре города.",
    "tr": "Herkese günaydın. Bugün gelecek yılın bütçesi ve şehir merkezindeki yeni ofis hakkında konuşacağız.",
    "sv": "God morgon allihop. Idag ska vi prata om budgeten för nästa år och om det nya kontoret i stadens centrum.",
    "cmn": "大家早上好。今天我们来谈谈明年的预算和市中心的新办公室。去机场的火车每二十分钟从九号站台出发。",
    "hi": "सभी को सुप्रभात। आज हम अगले साल के बजट और शहर के केंद्र में नए कार्यालय के बारे में बात करेंगे।",
}
"""Texts, by the voice of espeak-ng. Without a dictionary, the voice `cmn` reads letters and numbers in English."""

_SPELLINGS = {"center": "centre"}
_NUMBERS = {"2": "two", "3": "three", "9": "nine", "20": "twenty", "100": "hundred"}


def has_espeak() -> bool:
    return shutil.which("espeak-ng") is not None


@functools.lru_cache(256)
@functools.lru_cache(256)
def say(text: str, voice: str = "en-us", speed: int = 150) -> Samples:
    """Return speech at `speed` words per minute. Skips the test if espeak-ng is not installed."""
    if not has_espeak():
        pytest.skip("needs espeak-ng, which makes the speech")
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
    samples = decoded(subprocess.run(command, check=True, capture_output=True).stdout)
    samples.flags.writeable = False
    return samples


def decoded(file: bytes | Path, channel: int | None = None) -> Samples:
    """Return the samples of a sound file, with all channels mixed, or of one channel."""
    with av.open(io.BytesIO(file) if isinstance(file, bytes) else str(file)) as container:
        resampler = av.AudioResampler("fltp", "mono" if channel is None else "stereo", RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[channel or 0].astype(np.float32)


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def in_a_row(parts: Iterable[Samples]) -> Samples:
    return np.concatenate(list(parts))


def plain_words(text: str) -> list[str]:
    """Return the words in lower case, without punctuation, with numbers as words, for comparisons of transcripts."""
    words = re.findall(r"[\w']+", text.lower().replace("’", "'"))
    return [_NUMBERS.get(word, _SPELLINGS.get(word, word)) for word in words]


def word_errors(truth: str, text: str) -> tuple[int, int]:
    """Return the least number of inserted, missing and wrong words, and the number of words in `truth`."""
    wanted, got = plain_words(truth), plain_words(text)
    costs: Sequence[int] = range(len(got) + 1)
    for row, word in enumerate(wanted, 1):
        line = [row]
        for column, other in enumerate(got, 1):
            line.append(min(line[-1] + 1, costs[column] + 1, costs[column - 1] + (word != other)))
        costs = line
    return costs[-1], len(wanted)


def transcribed(run: Callable[[Sequence[Any]], Sequence[Any]], windows: Sequence[Any]) -> list[Any]:
    """Return what a speech engine's `run` makes of `windows` once all parts are done."""
    results = list(run(windows))
    while rests := [index for index, result in enumerate(results) if isinstance(result, Unfinished)]:
        continued = run([results[index].rest for index in rests])
        for index, result in zip(rests, continued, strict=True):
            results[index] = result
    return results
