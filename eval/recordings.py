"""Counts word errors and wrongly told languages on real recordings in five languages: telephone prompts by professional
speakers, with their texts.

    for language in en es fr it ru; do
        apt-get download asterisk-core-sounds-$language asterisk-core-sounds-$language-wav
    done
    for package in *.deb; do dpkg-deb -x $package FOLDER; done
    .venv/bin/python -m eval.recordings FOLDER
    .venv/bin/python -m eval.recordings FOLDER --raw --in-a-row 3     # minutes

The packages are Debian's (CC BY-SA 3.0, the Russian ones CC BY 3.0), sampled at 8 kHz. Prompts of five words and more
without figures and abbreviations are used, each as a request of its own whose language is not stated, or in a row with
pauses, as one request a language. openfaze processes the whole task, from the file's bytes to the result;
faster-whisper has the same weights, a beam of five, and times of words as openfaze has them.
"""

import argparse
import asyncio
import gzip
import io
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from eval.speech import wav
from models.base import available_cpus
from models.capability import EngineConfig
from models.speech.whisper_files import BASE, TINY_EN, WhisperFiles, files_of, read_parts
from tasks.base import TaskRequest
from tasks.inputs.source import Origin, Source
from tasks.wording.transcripts import SpeechOptions
from tests.kit.audio.speech import RATE, Samples, decoded, pause, word_errors
from training.services import quiet_services

SPEAKERS = {
    "en": "en_US_f_Allison",
    "es": "es_MX_f_Allison",
    "fr": "fr_CA_f_June",
    "it": "it_IT_m_Carlo",
    "ru": "ru_RU_f_IvrvoiceRU",
}
_LEAST_WORDS = 5
_UNCLEAR = re.compile(r"[\d\[\]*#?;…/]|\b[A-Z]{2,}\b|\?\?")
"""Pattern of texts that say less than what is heard, or more: figures, remarks, abbreviations, lost letters."""


@dataclass(frozen=True)
class Prompt:
    language: str
    file: bytes
    text: str


@dataclass
class Tally:
    clips: int = 0
    words: int = 0
    errors: int = 0
    languages_right: int = 0
    cpu_s: float = 0.0

    def add(self, prompt: Prompt, text: str, language: str | None, cpu_s: float) -> None:
        errors, words = word_errors(plain(prompt.text), plain(text))
        self.clips += 1
        self.words += words
        self.errors += errors
        self.languages_right += language == prompt.language
        self.cpu_s += cpu_s

    def __str__(self) -> str:
        return (
            f"{self.errors / self.words:6.1%} of {self.words:4} words wrong, language told right "
            f"{self.languages_right:3} of {self.clips:3}, {self.cpu_s / self.clips:5.2f} CPU s a clip"
        )


def plain(text: str) -> str:
    """Return `text` without accents, which some of the texts lack."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def prompts(folder: Path, most: int) -> Iterator[Prompt]:
    chance = random.Random(0)
    for language, speaker in SPEAKERS.items():
        [listed] = folder.rglob(f"core-sounds-{language}.txt.gz")
        lines = gzip.decompress(listed.read_bytes()).decode("utf-8", "replace").splitlines()
        found = []
        for line in lines:
            name, _, text = line.partition(":")
            file = folder / "usr/share/asterisk/sounds" / speaker / f"{name}.wav"
            if len(text.split()) >= _LEAST_WORDS and not _UNCLEAR.search(text) and file.is_file():
                found.append(Prompt(language, file.read_bytes(), text.strip()))
        yield from chance.sample(found, min(most, len(found)))


def in_a_row(chosen: list[Prompt], minutes: float) -> Iterator[Prompt]:
    """Yield a recording of at most this duration per language, of prompts with pauses between them."""
    chance = random.Random(1)
    for language, own in groupby(chosen, lambda prompt: prompt.language):
        parts: list[Samples] = []
        texts: list[str] = []
        for prompt in own:
            if sum(map(len, parts)) < minutes * 60 * RATE:
                parts += [decoded(prompt.file), pause(chance.choice((0.2, 0.5, 0.5, 1.0, 2.0)))]
                texts.append(prompt.text)
        yield Prompt(language, wav(np.concatenate(parts)), " ".join(texts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="where the packages are unpacked")
    parser.add_argument("--most", type=int, default=60, help="number of prompts of a language")
    parser.add_argument(
        "--raw", action="store_true", help="also faster-whisper alone, with the weights of both networks"
    )
    parser.add_argument(
        "--in-a-row", type=float, metavar="MINUTES", help="one recording a language, of at most this duration"
    )
    arguments = parser.parse_args()
    if arguments.in_a_row:
        chosen = list(in_a_row(list(prompts(arguments.folder, sys.maxsize)), arguments.in_a_row))
    else:
        chosen = list(prompts(arguments.folder, arguments.most))
    with asyncio.Runner() as runner:
        services = quiet_services(max_part_mb=2048)
        runner.run(services.runtime.load("speech_to_text"))
        measure("openfaze", chosen, lambda prompt: runner.run(heard(services, prompt)))
        runner.run(services.close())
    if arguments.raw:
        config = EngineConfig()
        measure("faster-whisper, base", chosen, raw(files_of(BASE, config)))
        if arguments.in_a_row:
            measure("faster-whisper, base, in batches of eight", chosen, raw(files_of(BASE, config), batch_size=8))
        measure(
            "faster-whisper, tiny.en", [one for one in chosen if one.language == "en"], raw(files_of(TINY_EN, config))
        )


def measure(name: str, chosen: list[Prompt], hear: Callable[[Prompt], tuple[str, str | None]]) -> None:
    tallies: dict[str, Tally] = {}
    for prompt in chosen:
        started = time.process_time()
        text, language = hear(prompt)
        tallies.setdefault(prompt.language, Tally()).add(prompt, text, language, time.process_time() - started)
    print(name)
    for language, tally in tallies.items():
        print(f"  {language}  {tally}")


async def heard(services: Any, prompt: Prompt) -> tuple[str, str | None]:
    request = TaskRequest(SpeechOptions(), (Source(Origin("audio"), data=prompt.file),))
    result = (await services.tasks.find("speech_to_text").run(request)).data
    return str(result["text"]), result["language"]


def raw(files: WhisperFiles, **options: Any) -> Callable[[Prompt], tuple[str, str | None]]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    threads = available_cpus()
    model = WhisperModel(
        str(files.folder),
        device="cpu",
        compute_type="int8",
        cpu_threads=threads,
        local_files_only=True,
        files=read_parts(files),
    )

    pipeline = BatchedInferencePipeline(model) if options else model

    def hear(prompt: Prompt) -> tuple[str, str | None]:
        segments, about = pipeline.transcribe(io.BytesIO(prompt.file), beam_size=5, word_timestamps=True, **options)
        return " ".join(segment.text for segment in segments), about.language

    return hear


if __name__ == "__main__":
    main()
