"""Translation models on CTranslate2: MADLAD-400 (all languages in one) and OPUS-MT (a model for each pair).

Folders as CTranslate2's converter writes them: `model.bin`, `config.json`, a vocabulary; beside them the model's own
SentencePiece files: `sentencepiece.model` (also `spiece.model`) for MADLAD-400, `source.spm` and `target.spm` for
OPUS-MT.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.translation.languages import tag_of_code
from models.translation.marks import WORD
from models.translation.translator import CAPABILITY, Job, Pair, shortest_route

MADLAD_FOLDER = "madlad-400"
OPUS_FOLDER = "opus-mt"
_MODEL = ("model.bin", "config.json")
_MADLAD_PIECES = ("sentencepiece.model", "spiece.model")
_OPUS_PIECES = ("source.spm", "target.spm")
_TARGET = re.compile(r"<2([a-z]{2,3}(?:_[A-Za-z]{2,4})?)>")
_BATCH_TOKENS = 2048
"""Tokens that are decoded together."""
_BEAM = 4
_LONGEST = 512
"""Tokens of one sentence, as in the models' training."""


class _Model:
    """One converted model, loaded."""

    def __init__(self, folder: Path, pieces: tuple[Path, Path], *, device: str, threads: int) -> None:
        import ctranslate2
        import sentencepiece

        kind, _, index = device.partition(":")
        self._network: Any = ctranslate2.Translator(
            str(folder),
            device=kind,
            device_index=int(index or 0),
            compute_type="float16" if kind == "cuda" else "int8",
            intra_threads=threads,
        )
        self._source: Any = sentencepiece.SentencePieceProcessor(model_file=str(pieces[0]))
        same = pieces[0] == pieces[1]
        self._target: Any = self._source if same else sentencepiece.SentencePieceProcessor(model_file=str(pieces[1]))
        # Converters of Marian's own format have CTranslate2 end the sentences; those of transformers do not.
        self._ends = [] if json.loads((folder / "config.json").read_text()).get("add_source_eos") else ["</s>"]

    def translate(self, texts: Sequence[str]) -> list[str]:
        tokens = [self._source.encode(text, out_type=str) + self._ends for text in texts]
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
    """An engine for an EngineHost with one worker."""

    def __init__(self, weights_dir: Path, *, device: str, threads: int) -> None:
        self._folder = weights_dir / MADLAD_FOLDER
        self._device = device
        self._threads = threads
        self._model: _Model | None = None

    def load(self) -> None:
        pieces = _madlad_pieces(self._folder)
        self._model = _loaded(self._folder, (pieces, pieces), self._device, self._threads)

    def close(self) -> None:
        self._model = None

    def run(self, batch: Sequence[Job]) -> list[Sequence[str] | Exception]:
        """`target` is what stands in `<2…>`. The jobs are decoded together."""
        assert self._model is not None
        texts = [f"<2{job.target}> {WORD.written(sentence)}" for job in batch for sentence in job.sentences]
        return _given_back(batch, self._model.translate(texts))


class OpusMt:
    """An engine for an EngineHost with one worker. Each pair's model is loaded at its first use."""

    def __init__(self, weights_dir: Path, *, device: str, threads: int) -> None:
        self._weights_dir = weights_dir
        self._device = device
        self._threads = threads
        self._folders: Mapping[Pair, Path] = {}
        self._models: dict[Pair, _Model] = {}

    def load(self) -> None:
        self._folders = opus_folders(self._weights_dir)

    def close(self) -> None:
        self._models.clear()

    def run(self, batch: Sequence[Job]) -> list[Sequence[str] | Exception]:
        results: list[Sequence[str] | Exception] = []
        for pair, jobs in groupby(batch, key=lambda job: (job.source or "", job.target)):
            same = list(jobs)
            texts = [WORD.written(sentence) for job in same for sentence in job.sentences]
            results += _given_back(same, self._of(pair).translate(texts))
        return results

    def _of(self, pair: Pair) -> _Model:
        if pair not in self._models:
            folder = self._folders[pair]
            pieces = folder / _OPUS_PIECES[0], folder / _OPUS_PIECES[1]
            self._models[pair] = _loaded(folder, pieces, self._device, self._threads)
        return self._models[pair]


def madlad_remedy(weights_dir: Path) -> str | None:
    folder = weights_dir / MADLAD_FOLDER
    if _is_complete(folder) and any((folder / name).is_file() for name in _MADLAD_PIECES):
        return None
    return (
        f"Put MADLAD-400, converted for CTranslate2, into the folder '{MADLAD_FOLDER}' of OPENFAZE_WEIGHTS_DIR "
        "(docs/translate.md)."
    )


def opus_remedy(weights_dir: Path) -> str | None:
    if opus_folders(weights_dir):
        return None
    return (
        f"Put OPUS-MT models, converted for CTranslate2, into '{OPUS_FOLDER}/en-de' and the like of "
        "OPENFAZE_WEIGHTS_DIR (docs/translate.md)."
    )


def opus_folders(weights_dir: Path) -> dict[Pair, Path]:
    """The complete models by their languages: each folder is called after its own (`en-de`)."""
    found: dict[Pair, Path] = {}
    for folder in sorted((weights_dir / OPUS_FOLDER).glob("*-*")):
        source, target = map(tag_of_code, folder.name.split("-", 1))
        if source and target and _is_complete(folder) and all((folder / name).is_file() for name in _OPUS_PIECES):
            found[source, target] = folder
    return found


class MadladRoutes:
    """From any language straight into each that the model's vocabulary names, which is read once."""

    def __init__(self, weights_dir: Path) -> None:
        self._folder = weights_dir / MADLAD_FOLDER
        self._targets: dict[str, str] = {}

    def __call__(self, source: str | None, target: str) -> list[Job] | None:
        """Raises EngineUnavailable for a file that cannot be read."""
        if not self._targets:
            self._targets = _targets_in(_madlad_pieces(self._folder))
        pairs = {("", tag) for tag in self._targets}
        hops = shortest_route(pairs, "", target)
        return hops and [Job((), source, self._targets[hop.target]) for hop in hops]


def _targets_in(pieces: Path) -> dict[str, str]:
    """What stands in `<2…>` by the language's tag."""
    import sentencepiece

    try:
        processor: Any = sentencepiece.SentencePieceProcessor(model_file=str(pieces))
    except (OSError, RuntimeError) as error:
        raise _damaged(pieces.parent) from error
    names = (_TARGET.fullmatch(processor.id_to_piece(number)) for number in range(processor.get_piece_size()))
    return {tag: name[1] for name in names if name and (tag := tag_of_code(name[1]))}


def _given_back(batch: Sequence[Job], translations: Sequence[str]) -> list[Sequence[str] | Exception]:
    """Each job's own, with its marks."""
    remaining = iter(translations)
    return [[WORD.read(next(remaining), sentence).strip() for sentence in job.sentences] for job in batch]


def _loaded(folder: Path, pieces: tuple[Path, Path], device: str, threads: int) -> _Model:
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
