"""Counts the outcomes of `whisper-tiny-en`: clips that it refuses, transcribes, or transcribes with doubt.

    .venv/bin/python -m bench.understanding

The clips are English, English with the sounds of other languages, and other languages. The head that recognises English
was fitted to none of them: the sentences, the kinds of voice, the accents and 22 languages were held out as whole sets.
Each clip is processed by the task, from the file's bytes to the result. The real samples beside the checkout, in
pieces, through a telephone and with noise, are also transcribed by raw faster-whisper with the same weights.
"""

import asyncio
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np

from bench.speech import Recording, quiet_services, raw, wav
from models.base import EngineUnavailable
from tasks.base import TaskRequest
from tasks.inputs.source import Origin, Source
from tests.conftest import SHARED
from tests.speech import FOREIGN, JFK, RATE, SENTENCES, Samples, decoded, in_a_row, pause, plain_words
from training.speech.clips import recorded, say

HELD_OUT: dict[str, str] = json.loads(Path(__file__).with_name("held_out.json").read_text(encoding="utf-8"))
"""Texts of two sentences in languages that influenced no parameter, by espeak-ng's name of the language."""
SHORT = ("Yes.", "No.", "Hello.", "Okay.", "Stop.", "Thank you.", "Goodbye.", "My name is Anna Kowalski.")
LANGUAGES = ("en-us", "en-gb", "en-gb-scotland", "en-029")
ACCENTS = ("it", "cs", "hu", "ru", "fi", "vi", "da", "ca", "hr", "sk")
VARIANTS = ("+Annie", "+Mario", "+linda", "+steph", "+Lee", "+michael", "+belinda", "+john", "+Alicia", "+paul")
OUTCOMES = ("refused", "answered", "in doubt", "empty")
CONDITIONS = ("clean", "telephone", "pink 10")
TWO_SPEAKERS = (
    "He began a confused complaint against the wizard who had vanished behind the curtain on the left",
    "The horizon seems extremely distant",
)
"""Spoken texts of the two channels of the sample `speech_two_speakers.wav`."""


@dataclass(frozen=True, eq=False)
class Clip:
    group: str
    samples: Samples
    text: str = ""
    """Spoken text, if its words are compared."""


def clips() -> Iterator[Clip]:
    variants = itertools.cycle(VARIANTS)
    rng = np.random.default_rng(0)
    for text, language in itertools.product(SHORT, LANGUAGES):
        yield Clip("English, a few words", _framed(say(text, language + next(variants))))
    pairs = [f"{first} {second}" for first, second in itertools.pairwise(SENTENCES)]
    for (index, pair), condition in itertools.product(enumerate(pairs), CONDITIONS):
        made = _framed(say(pair, LANGUAGES[index % len(LANGUAGES)] + next(variants)))
        yield Clip("English, two sentences", recorded(made, condition, rng))
    for accent, pair in itertools.product(ACCENTS, pairs[::6]):
        yield Clip("English, other languages' sounds", _framed(say(pair, accent, accent=True)))
    for language, text in FOREIGN.items():
        for condition in CONDITIONS * 2:
            made = _framed(say(text, language + next(variants)))
            yield Clip("other languages, fitted to", recorded(made, condition, rng))
    for language, text in HELD_OUT.items():
        for condition in CONDITIONS:
            made = _framed(say(text, language + next(variants)))
            yield Clip("other languages, held out", recorded(made, condition, rng))
    for language, text in FOREIGN.items():
        first = re.split("[.。।]", text)[0]
        yield Clip("other languages, a few words", _framed(say(first, language + next(variants))))


def real() -> Iterator[Clip]:
    """Yield the samples: whole, through a telephone, with noise, and in pieces of several seconds."""
    if not SHARED.is_dir():
        return
    rng = np.random.default_rng(0)
    conversation = SHARED / "samples" / "speech_two_speakers.wav"
    whole = [(decoded(SHARED / "samples" / "speech_jfk.flac"), JFK)]
    whole += [(decoded(conversation, channel), text) for channel, text in enumerate(TWO_SPEAKERS)]
    for (samples, text), condition in itertools.product(whole, (*CONDITIONS, "white 10", "room", "faint", "babble 8")):
        yield Clip("English, real", recorded(samples, condition, rng), text)
    for samples, _ in whole:
        for seconds in (1, 2, 4):
            for start in range(0, len(samples) - seconds * RATE + 1, seconds * RATE):
                yield Clip("English, real, pieces", samples[start : start + seconds * RATE])


def _framed(samples: Samples) -> Samples:
    return in_a_row([pause(0.3), samples, pause(0.3)])


async def outcomes(found: Iterable[Clip]) -> list[tuple[Clip, str, dict[str, Any]]]:
    """Return each clip with its outcome and its result; the result is empty if the clip was refused."""
    services = quiet_services()
    task = services.tasks.find("speech_to_text")
    heard = []
    try:
        for clip in found:
            try:
                result = (await task.run(TaskRequest("", (Source(Origin("audio"), data=wav(clip.samples)),)))).data
            except EngineUnavailable:
                heard.append((clip, "refused", {}))
                continue
            doubtful = "in doubt" if result.get("low_confidence") else "answered"
            heard.append((clip, doubtful if result["text"] else "empty", result))
    finally:
        await services.close()
    return heard


def recall(truth: str, text: str) -> tuple[int, int]:
    """Return the number of the truth's words that the text contains in order, and the number of all its words."""
    wanted, got = plain_words(truth), plain_words(text)
    blocks = SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks), len(wanted)


def recalls(found: Sequence[tuple[Clip, str]]) -> str:
    counts = [recall(clip.text, text) for clip, text in found]
    return f"{sum(hit for hit, _ in counts)} of {sum(words for _, words in counts)} words"


def main() -> None:
    heard = asyncio.run(outcomes(itertools.chain(clips(), real())))
    counts: dict[str, Counter[str]] = {}
    for clip, outcome, _ in heard:
        counts.setdefault(clip.group, Counter())[outcome] += 1
    print(f"{'':34}" + "".join(f"{name:>10}" for name in OUTCOMES))
    for group, of in counts.items():
        print(f"{group:34}" + "".join(f"{of[name]:10}" for name in OUTCOMES))
    for clip, outcome, result in heard:
        if outcome == ("refused" if clip.group.startswith("English") else "answered"):
            print(f"{clip.group}, {outcome}: {len(clip.samples) / RATE:.1f} s {result}")
    said = [(clip, result.get("text", "")) for clip, _, result in heard if clip.text]
    if said:
        print(f"real English, openfaze:       {recalls(said)}")
        with raw(5, False) as transcribe:
            theirs = [(clip, transcribe(Recording(wav(clip.samples), "", 0.0))) for clip, _ in said]
        print(f"real English, faster-whisper: {recalls(theirs)}")


if __name__ == "__main__":
    main()
