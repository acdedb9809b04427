"""Translation engine: MADLAD-400 on CTranslate2, one model for all languages.

The model's folder contains the output of CTranslate2's converter (`model.bin`, `config.json` and a vocabulary) and the
SentencePiece file: `sentencepiece.model` or `spiece.model`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from models.base import EngineSpec, EngineUnavailable
from models.devices.device import CTRANSLATE2, CUDA
from models.translation.languages import LANGUAGES, base_of, tag_of_code
from models.translation.marks import WORD
from models.translation.translator import CAPABILITY, TranslationJob, pair_name, shortest_route
from models.weights.files import WEIGHT_SETS

WEIGHTS = WEIGHT_SETS["madlad-400"]

SPEC: Final = EngineSpec(WEIGHTS.name, CAPABILITY, WEIGHTS.licence, f"`openfaze pull {WEIGHTS.name}`")

_MODEL = ("model.bin", "config.json")

_PIECES = ("sentencepiece.model", "spiece.model")

_TARGET = re.compile(r"<2([a-z]{2,3}(?:_[A-Z][a-z]{3})?(?:_[A-Z]{2})?)>")

_MAIN_SCRIPT = {"zh": "zh-Hans"}
"""Main scripts of languages. A tag without a script means the language in its main script."""

_BATCH_TOKENS = 2048
"""At most this many tokens are decoded together."""

_BEAM = 4

_LONGEST = 512
"""A sentence is cut after this many tokens, and so is its translation, as in the model's training."""


class Madlad:
    """Engine for an EngineHost with one worker."""

    def __init__(self, weights_dir: Path, *, device: str, threads: int) -> None:
        self._folder = weights_dir / WEIGHTS.name
        self._device = device
        self._threads = threads
        self._network: Any = None
        self._pieces: Any = None
        self._end_tokens: list[str] = []

    def load(self) -> None:
        import ctranslate2
        import sentencepiece

        kind, _, index = CTRANSLATE2.check(self._device, CAPABILITY).partition(":")
        try:
            self._network = ctranslate2.Translator(
                str(self._folder),
                device=kind,
                device_index=int(index or 0),
                compute_type="bfloat16" if kind == CUDA else "int8",  # T5's values pass the range of float16
                intra_threads=self._threads,
            )
            self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(_pieces_file(self._folder)))
            config = json.loads((self._folder / "config.json").read_text())
        except (OSError, RuntimeError, ValueError) as error:
            raise _damaged(self._folder) from error
        # CTranslate2 appends the end token for models converted from Marian's format, but not for models converted from
        # transformers.
        self._end_tokens = [] if config.get("add_source_eos") else ["</s>"]

    def close(self) -> None:
        self._network = self._pieces = None

    def run(self, batch: Sequence[TranslationJob]) -> list[Sequence[str] | Exception]:
        """Translate the sentences of all jobs in one call. A job's `target` is the token before each sentence."""
        texts = [f"{job.target} {WORD.written(sentence)}" for job in batch for sentence in job.sentences]
        results = self._network.translate_batch(
            [self._pieces.encode(text, out_type=str) + self._end_tokens for text in texts],
            beam_size=_BEAM,
            batch_type="tokens",
            max_batch_size=_BATCH_TOKENS,
            max_input_length=_LONGEST,
            max_decoding_length=_LONGEST,
        )
        translations = iter([str(self._pieces.decode(result.hypotheses[0])) for result in results])
        return [[WORD.read(next(translations), sentence).strip() for sentence in job.sentences] for job in batch]


def remedy(weights_dir: Path) -> str | None:
    folder = weights_dir / WEIGHTS.name
    if all((folder / name).is_file() for name in _MODEL) and _pieces_file(folder).is_file():
        return None
    return f"Run `openfaze pull {WEIGHTS.name}`."


def knows(tag: str) -> bool:
    """True if the published model translates into the language of `tag`."""
    return WEIGHTS.name in LANGUAGES[base_of(tag)].engines


class MadladRoutes:
    """Finds routes from any language directly to each target language in the model's vocabulary, which is read once."""

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / WEIGHTS.name

    def pairs(self) -> Sequence[str]:
        """Return one line that stands for all pairs, because there are about 170,000. Raises EngineUnavailable for a
        file that cannot be read."""
        return [pair_name("any", f"{len(self._target_tokens())} languages")]

    def __call__(self, source: str | None, target: str) -> list[TranslationJob] | None:
        """Return the route, in one hop; None if there is none. Raises EngineUnavailable for a file that cannot be
        read."""
        targets = self._target_tokens()
        hops = shortest_route({("", tag) for tag in targets}, "", target)
        return hops and [TranslationJob((), source, targets[hop.target]) for hop in hops]

    def _target_tokens(self) -> Mapping[str, str]:
        pieces = _pieces_file(self._folder)
        try:
            return _targets_in(pieces, pieces.stat().st_mtime_ns)
        except (OSError, RuntimeError) as error:
            raise _damaged(self._folder) from error


@lru_cache(maxsize=1)
def _targets_in(pieces: Path, _changed: int) -> Mapping[str, str]:
    """Return the tokens before a sentence (`<2fr>`), by the target language's tag. A tag without script and region
    stands for the language in its main script or, if the vocabulary lacks this variety, for the language's first
    variety in it. Raises OSError or RuntimeError for a file that cannot be read."""
    import sentencepiece

    processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    found = (_TARGET.fullmatch(processor.id_to_piece(index)) for index in range(processor.get_piece_size()))
    names = {tag: name.group() for name in found if name and (tag := tag_of_code(name[1]))}
    bases = {base_of(tag): name for tag, name in reversed(names.items())} | names
    return bases | {tag: names[main] for tag, main in _MAIN_SCRIPT.items() if main in names}


def _damaged(folder: Path) -> EngineUnavailable:
    return EngineUnavailable(
        CAPABILITY, f"The model in the folder '{folder.name}' of OPENFAZE_WEIGHTS_DIR does not load."
    )


def _pieces_file(folder: Path) -> Path:
    return next((folder / name for name in _PIECES if (folder / name).is_file()), folder / _PIECES[0])
