"""Translation engines on CTranslate2: MADLAD-400 (one model for all languages) and OPUS-MT (a model for each pair).

A model's folder contains the output of CTranslate2's converter (`model.bin`, `config.json` and a vocabulary) and the
SentencePiece files: `sentencepiece.model` (also `spiece.model`) for MADLAD-400, `source.spm` and `target.spm` for
OPUS-MT.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.devices.device import CTRANSLATE2, CUDA
from models.translation.languages import base_of, tag_of_code
from models.translation.marks import WORD
from models.translation.translator import CAPABILITY, Pair, TranslationJob, pair_name, shortest_route
from models.translation.weight_sets import MADLAD_FOLDER, OPUS_FOLDER

_MODEL = ("model.bin", "config.json")

_MADLAD_PIECES = ("sentencepiece.model", "spiece.model")

_OPUS_PIECES = ("source.spm", "target.spm")

_TAG = r"[a-z]{2,3}(?:_[A-Z][a-z]{3})?(?:_[A-Z]{2})?"

_MADLAD_TARGET = re.compile(rf"<2({_TAG})>")

_OPUS_TARGET = re.compile(rf">>({_TAG})<<")

_MAIN_SCRIPT = {"zh": "zh-Hans"}
"""Main scripts of languages. A tag without a script means the language in its main script."""

_VOCABULARIES = ("shared_vocabulary", "source_vocabulary")

_KEPT_VOCABULARIES = 64

_BATCH_TOKENS = 2048
"""At most this many tokens are decoded together."""

_BEAM = 4

_LONGEST = 512
"""A sentence is cut after this many tokens, and so is its translation, as in the models' training."""


class _Model:
    """A converted model in memory."""

    def __init__(self, folder: Path, pieces: tuple[Path, Path], *, device: str, threads: int) -> None:
        import ctranslate2
        import sentencepiece

        kind, _, index = CTRANSLATE2.check(device, CAPABILITY).partition(":")
        self._network: Any = ctranslate2.Translator(
            str(folder),
            device=kind,
            device_index=int(index or 0),
            compute_type="float16" if kind == CUDA else "int8",
            intra_threads=threads,
        )
        self._source: Any = sentencepiece.SentencePieceProcessor(model_file=str(pieces[0]))
        same = pieces[0] == pieces[1]
        self._target: Any = self._source if same else sentencepiece.SentencePieceProcessor(model_file=str(pieces[1]))
        # CTranslate2 appends the end token for models converted from Marian's format, but not for models converted from
        # transformers.
        self._end_tokens = [] if json.loads((folder / "config.json").read_text()).get("add_source_eos") else ["</s>"]

    def translate(self, texts: Sequence[str], token: str | None = None) -> list[str]:
        """Translate `texts`. `token` selects the target language of a model that has several."""
        begins = [token] if token else []
        tokens = [begins + self._source.encode(text, out_type=str) + self._end_tokens for text in texts]
        results = self._network.translate_batch(
            tokens,
            beam_size=_BEAM,
            batch_type="tokens",
            max_batch_size=_BATCH_TOKENS,
            max_input_length=_LONGEST,
            max_decoding_length=_LONGEST,
        )
        return [str(self._target.decode(result.hypotheses[0])) for result in results]


class Madlad:
    """Engine for an EngineHost with one worker."""

    def __init__(self, weights_dir: Path, *, device: str, threads: int) -> None:
        self._folder = weights_dir / MADLAD_FOLDER
        self._device = device
        self._threads = threads
        self._model: _Model | None = None

    def load(self) -> None:
        pieces = _madlad_pieces(self._folder)
        self._model = _load_model(self._folder, (pieces, pieces), self._device, self._threads)

    def close(self) -> None:
        self._model = None

    def run(self, batch: Sequence[TranslationJob]) -> list[Sequence[str] | Exception]:
        """Translate the sentences of all jobs in one call. A job's `target` is the token before each sentence."""
        assert self._model is not None
        texts = [f"{job.target} {WORD.written(sentence)}" for job in batch for sentence in job.sentences]
        return _split_by_job(batch, self._model.translate(texts))


@dataclass(frozen=True, slots=True)
class OpusModel:
    """A model of OPUS-MT, for one pair of languages."""

    folder: Path
    token: str | None
    """Token before each sentence if the model has several target languages; else None."""


class OpusMt:
    """Engine for an EngineHost with one worker. Each model is loaded at its first use."""

    def __init__(self, weights_dir: Path, *, device: str, threads: int) -> None:
        self._weights_dir = weights_dir
        self._device = device
        self._threads = threads
        self._pairs: Mapping[Pair, OpusModel] = {}
        self._models: dict[Path, _Model] = {}

    def load(self) -> None:
        self._pairs = opus_models(self._weights_dir)

    def close(self) -> None:
        self._models.clear()

    def run(self, batch: Sequence[TranslationJob]) -> list[Sequence[str] | Exception]:
        results: list[Sequence[str] | Exception] = []
        for pair, jobs in groupby(batch, key=lambda job: (job.source or "", job.target)):
            same = list(jobs)
            texts = [WORD.written(sentence) for job in same for sentence in job.sentences]
            if pair not in self._pairs:  # the model may have been pulled after `load`
                self._pairs = opus_models(self._weights_dir)
            model = self._pairs[pair]
            results += _split_by_job(same, self._load_model(model.folder).translate(texts, model.token))
        return results

    def _load_model(self, folder: Path) -> _Model:
        if folder not in self._models:
            pieces = folder / _OPUS_PIECES[0], folder / _OPUS_PIECES[1]
            self._models[folder] = _load_model(folder, pieces, self._device, self._threads)
        return self._models[folder]


def madlad_remedy(weights_dir: Path) -> str | None:
    folder = weights_dir / MADLAD_FOLDER
    if _is_complete(folder) and any((folder / name).is_file() for name in _MADLAD_PIECES):
        return None
    return f"Run `openfaze pull {MADLAD_FOLDER}`."


def opus_remedy(weights_dir: Path) -> str | None:
    if any(_opus_folders(weights_dir)):
        return None
    return f"Run `openfaze pull {OPUS_FOLDER}-en-de`, or the set of another pair (docs/translate.md)."


def opus_models(weights_dir: Path) -> dict[Pair, OpusModel]:
    """Return the complete models by their languages. A folder's name consists of the languages, such as `en-de`. The
    target may be a group of languages, as in `en-zle`, each of which has its own token in the vocabulary. Raises
    EngineUnavailable for a vocabulary that cannot be read."""
    found: dict[Pair, OpusModel] = {}
    groups: dict[Pair, OpusModel] = {}
    for folder in _opus_folders(weights_dir):
        source, target = (tag_of_code(part) for part in folder.name.split("-", 1))
        if source is None:
            continue
        tokens = _target_tokens(folder)
        if target is None:
            groups |= {(source, tag): OpusModel(folder, token) for tag, token in tokens.items()}
        elif own := {tag: token for tag, token in tokens.items() if base_of(tag) == base_of(target)}:
            found |= {(source, tag): OpusModel(folder, token) for tag, token in own.items()}
        else:
            found[source, target] = OpusModel(folder, None)
    return groups | found


def _opus_folders(weights_dir: Path) -> Iterator[Path]:
    for folder in sorted((weights_dir / OPUS_FOLDER).glob("*-*")):
        if _is_complete(folder) and all((folder / name).is_file() for name in _OPUS_PIECES):
            yield folder


def _target_tokens(folder: Path) -> Mapping[str, str]:
    """Return the target tokens (`>>rus<<`) of a model with several target languages, by tag; empty for a model with
    one."""
    paths = [folder / f"{name}{kind}" for name in _VOCABULARIES for kind in (".json", ".txt")]
    path = next((path for path in paths if path.is_file()), None)
    return _tokens_in(path, path.stat().st_mtime_ns) if path else {}


@lru_cache(maxsize=_KEPT_VOCABULARIES)
def _tokens_in(path: Path, _changed: int) -> Mapping[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
        words = json.loads(text) if path.suffix == ".json" else text.splitlines()
    except (OSError, ValueError) as error:
        raise _damaged(path.parent) from error
    return _by_tag(found for word in words if isinstance(word, str) and (found := _OPUS_TARGET.fullmatch(word)))


def _by_tag(found: Iterator[re.Match[str]]) -> dict[str, str]:
    """Return the names of a model's target languages, by tag. A tag without script and region stands for the language
    in its main script or, if the vocabulary lacks this variety, for the language's first variety in it."""
    names = {tag: name.group() for name in found if (tag := tag_of_code(name[1]))}
    bases = {base_of(tag): name for tag, name in reversed(names.items())} | names
    return bases | {tag: names[main] for tag, main in _MAIN_SCRIPT.items() if main in names}


class MadladRoutes:
    """Finds routes from any language directly to each target language in the model's vocabulary, which is read once."""

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / MADLAD_FOLDER

    def pairs(self) -> Sequence[str]:
        """Return one line that stands for all pairs, because there are about 170,000. Raises EngineUnavailable for a
        file that cannot be read."""
        return [pair_name("any", f"{len(self._target_tokens_of_model())} languages")]

    def __call__(self, source: str | None, target: str) -> list[TranslationJob] | None:
        """Return the route, in one hop; None if there is none. Raises EngineUnavailable for a file that cannot be
        read."""
        targets = self._target_tokens_of_model()
        pairs = {("", tag) for tag in targets}
        hops = shortest_route(pairs, "", target)
        return hops and [TranslationJob((), source, targets[hop.target]) for hop in hops]

    def _target_tokens_of_model(self) -> Mapping[str, str]:
        pieces = _madlad_pieces(self._folder)
        try:
            return _targets_in(pieces, pieces.stat().st_mtime_ns)
        except (OSError, RuntimeError) as error:
            raise _damaged(self._folder) from error


@lru_cache(maxsize=1)
def _targets_in(pieces: Path, _changed: int) -> Mapping[str, str]:
    """Return the tokens before a sentence (`<2fr>`), by the target language's tag. Raises OSError or RuntimeError for
    a file that cannot be read."""
    import sentencepiece

    processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    names = (_MADLAD_TARGET.fullmatch(processor.id_to_piece(index)) for index in range(processor.get_piece_size()))
    return _by_tag(name for name in names if name)


def _split_by_job(batch: Sequence[TranslationJob], translations: Sequence[str]) -> list[Sequence[str] | Exception]:
    """Return the translations of each job, with their marks."""
    remaining = iter(translations)
    return [[WORD.read(next(remaining), sentence).strip() for sentence in job.sentences] for job in batch]


def _load_model(folder: Path, pieces: tuple[Path, Path], device: str, threads: int) -> _Model:
    try:
        return _Model(folder, pieces, device=device, threads=threads)
    except (OSError, RuntimeError, ValueError) as error:
        raise _damaged(folder) from error


def _damaged(folder: Path) -> EngineUnavailable:
    return EngineUnavailable(
        CAPABILITY, f"The model in the folder '{folder.name}' of OPENFAZE_WEIGHTS_DIR does not load."
    )


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _MODEL)


def _madlad_pieces(folder: Path) -> Path:
    return next((folder / name for name in _MADLAD_PIECES if (folder / name).is_file()), folder / _MADLAD_PIECES[0])
