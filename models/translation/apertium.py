"""Translation engine: Apertium, a rule-based translator, run as a program.

Text is passed in Apertium's stream format (https://wiki.apertium.org/wiki/Apertium_stream_format). In it, markup is a
"superblank" in brackets, which stays between the same words, or "word-bound blanks" in two brackets, which move with
the words between them.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache

from models.base import EngineSpec
from models.python_process import clean_library_path
from models.translation.languages import tag_of_code
from models.translation.marks import MarkNotation, number_of, pairs_of
from models.translation.translator import CAPABILITY, Pair, TranslationJob

SPEC = EngineSpec("apertium", CAPABILITY, "GPL-2.0-or-later", "the system's packages 'apertium-…'")

_PROGRAM = "apertium"
_NOTATION = MarkNotation("Xq{}q", "[<{}>]")
_MARKUP = re.compile(r"\[<(\d+)>\]")
_BOUND_WORD = re.compile(r"\[\[((?:(?:; ?)?t:s:\d+)+)\]\]((?:\\.|[^\\])*?)\[\[/\]\]")
_SENTENCE_END = ".[][\n\n]"
"""End of a sentence for the tagger, without a full stop in the output; `apertium-destxt` writes the same characters."""
_SPECIAL = re.compile(r"[\[\]{}^$/\\@<>]")
_ESCAPED = re.compile(r"\\(.)")
_DIRECTION = re.compile(r"(?P<source>[a-z]{2,3})-(?P<target>[a-z]{2,3})(?:_(?P<region>[A-Z]{2}))?")
"""Pattern of the modes that a request can name. Other modes (`spa-cat_valencia`, `eco-es-fr`) are varieties."""
_TIMEOUT_S = 120
_LISTING_TIMEOUT_S = 10
_AT_LOW_PRIORITY = ("nice", "-n", "19")
"""The event loop and the engines of this process, which all requests share, take precedence over the programs."""


def remedy() -> str | None:
    if shutil.which(_PROGRAM) is None:
        return "Install Apertium and the languages: `apt-get install apertium apertium-eng-spa`, for example."
    return None


class ApertiumFailed(Exception):
    """Raised if the program failed, or if its output is unusable."""


class Apertium:
    """Engine for an EngineHost, with a process for each job."""

    def __init__(self) -> None:
        self._directions: Mapping[Pair, str] = {}

    def load(self) -> None:
        self._directions = directions()

    def close(self) -> None:
        self._directions = {}

    def run(self, batch: Sequence[TranslationJob]) -> list[Sequence[str] | Exception]:
        return [self._translated(job) for job in batch]

    def _translated(self, job: TranslationJob) -> list[str]:
        direction = self._directions[job.source or "", job.target]
        written = (_bound(_NOTATION.written(sentence, _escaped), sentence) for sentence in job.sentences)
        stream = "".join(sentence + _SENTENCE_END for sentence in written)
        translations = _run([_PROGRAM, "-u", "-f", "none", direction], stream, _TIMEOUT_S).split(_SENTENCE_END)
        if len(translations) != len(job.sentences) + 1:
            if len(job.sentences) > 1:
                return [self._translated(TranslationJob((one,), job.source, job.target))[0] for one in job.sentences]
            raise ApertiumFailed(f"{direction}: {len(translations) - 1} sentences came back for one")
        return [
            _NOTATION.read(_unbound(translation, sentence), sentence, _unescaped).strip()
            for translation, sentence in zip(translations, job.sentences, strict=False)
        ]


@cache
def directions() -> Mapping[Pair, str]:
    """Return the name of each installed direction, by its languages. The program is asked only once."""
    found: dict[Pair, str] = {}
    for line in _run([_PROGRAM, "-l"], "", _LISTING_TIMEOUT_S).split():
        if match := _DIRECTION.fullmatch(line):
            source, target = tag_of_code(match["source"]), tag_of_code(match["target"])
            if source and target:
                found[source, f"{target}-{match['region']}" if match["region"] else target] = line
    return found


def _run(command: Sequence[str], stdin: str, seconds: float) -> str:
    """Run the program and return its output. Apertium is a shell script that starts a dozen programs; after a failure,
    all of them are killed."""
    clean_library_path()
    with subprocess.Popen(  # noqa: S603 - an argument list; the text goes to its standard input
        [*_AT_LOW_PRIORITY, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        # In a session of its own, Linux may give it a share of the processors whatever its niceness (sched_autogroup).
        process_group=0,
    ) as process:
        try:
            printed, complaints = process.communicate(stdin.encode(), timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise ApertiumFailed(f"{' '.join(command)}: {process.returncode}, {complaints.decode(errors='replace')[:500]}")
    return printed.decode()


def _bound(written: str, sentence: str) -> str:
    """Replace the pairs of marks in the notation of `sentence` by word-bound blanks."""
    blanks = {}
    for opening, closing in pairs_of(sentence).items():
        blanks[str(number_of(opening))] = f"[[t:s:{number_of(opening)}]]"
        blanks[str(number_of(closing))] = "[[/]]"
    return _MARKUP.sub(lambda found: blanks.get(found[1], found[0]), written)


def _unbound(translation: str, sentence: str) -> str:
    """Replace the word-bound blanks, of which each word comes back with its own, by pairs of marks from the first to
    the last word of each."""
    closings = {str(number_of(opening)): number_of(closing) for opening, closing in pairs_of(sentence).items()}
    words = [(found, re.findall(r"\d+", found[1])) for found in _BOUND_WORD.finditer(translation)]
    last = {number: found for found, numbers in words for number in numbers}
    pieces: list[str] = []
    opened: set[str] = set()
    place = 0
    for found, numbers in words:
        numbers = [number for number in numbers if number in closings]
        pieces.append(translation[place : found.start()])
        pieces += [f"[<{number}>]" for number in numbers if number not in opened]
        pieces.append(found[2])
        pieces += [f"[<{closings[number]}>]" for number in reversed(numbers) if last[number] is found]
        opened.update(numbers)
        place = found.end()
    return "".join([*pieces, translation[place:]])


def _escaped(text: str) -> str:
    # The program takes a NUL character for the end of a sentence.
    return _SPECIAL.sub(r"\\\g<0>", text.replace("\0", " "))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
