"""The engine that encodes voices.

The mel spectrogram that the encoder was trained on: `librosa.feature.melspectrogram` with its defaults.

Slaney's mel scale and his filters of equal area (M. Slaney, Auditory Toolbox, 1998) over the power spectrum, as
librosa 0.11 computes them (`librosa.filters.mel`, `librosa.mel_frequencies`; ISC licence). Not logarithmic.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.speech.hearing import WINDOW, Samples, Voice
from models.speech.resemblyzer.checkpoint import REMEDY, SPEC, Tensors, read_weights, voice_weights

LAYERS = 3
WIDTH = 256
TINY = 1e-12
"""Least length that a vector is divided by."""


class Network(Protocol):
    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, frames, 40] to [n, 256], rows of length 1 and nowhere negative."""


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO; on NumPy where there is no OpenVINO. `threads` 0: as many as OpenVINO sees fit."""
    if find_spec("openvino") is not None:
        from models.speech.resemblyzer.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.speech.resemblyzer.engine import NumpyNetwork

    return NumpyNetwork(weights)


SAMPLE_RATE = 16_000
CHANNELS = 40
FFT = 400
"""25 ms, the length of the Hann window too."""
HOP = 160
"""10 ms."""

_LINEAR_STEP = 200 / 3
"""Hz a mel below 1000 Hz."""
_LOG_FROM_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27
"""Above, a mel multiplies the frequency by e^0.0687: 6400 Hz lie 27 mels above 1000 Hz."""


def mel_spectrograms(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n, samples] to [n, 1 + samples // 160, 40]; frame t is centred on sample 160·t, silence beyond both
    ends."""
    padded = np.pad(clips, ((0, 0), (FFT // 2, FFT // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT, axis=1)[:, ::HOP]
    spectrum = np.fft.rfft(frames * _HANN, axis=2)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return power.astype(np.float32) @ _FILTERS.T


def _mel_of(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_STEP
    return float(_LOG_FROM_HZ / _LINEAR_STEP + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP)


def _hz_of(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    first_log = _LOG_FROM_HZ / _LINEAR_STEP
    above = _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - first_log))
    return np.where(mels >= first_log, above, _LINEAR_STEP * mels)


def _filters() -> NDArray[np.float32]:
    """[40, 201]: triangles between neighbours' centres, each of area 1."""
    edges = _hz_of(np.linspace(0, _mel_of(SAMPLE_RATE / 2), CHANNELS + 2))
    bins = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    widths = np.diff(edges)[:, None]
    distances = edges[:, None] - bins
    rising, falling = -distances[:-2] / widths[:-1], distances[2:] / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    areas = 2 / (edges[2:] - edges[:-2])
    return (triangles * areas[:, None]).astype(np.float32)


_FILTERS = _filters()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
"""Periodic, as scipy.signal.get_window makes it."""


class NumpyNetwork:
    """Implements `Network`."""

    def __init__(self, weights: Tensors) -> None:
        self._layers = [
            (
                # Input and state side by side: one product a step.
                np.concatenate(
                    [weights[f"lstm.weight_ih_l{layer}"], weights[f"lstm.weight_hh_l{layer}"]], axis=1
                ).T.copy(),
                weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"],
            )
            for layer in range(LAYERS)
        ]
        self._projection, self._bias = weights["linear.weight"].T, weights["linear.bias"]

    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = np.ascontiguousarray(mels.transpose(1, 0, 2))
        for weight, bias in self._layers:
            steps = _lstm(steps, weight, bias)
        raised = np.maximum(0, steps[-1] @ self._projection + self._bias)
        vectors: NDArray[np.float32] = raised / np.maximum(np.linalg.norm(raised, axis=1, keepdims=True), TINY)
        return vectors


def _lstm(steps: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """The states of one layer at every step. Gates in torch's order: input, forget, cell, output."""
    count, batch, width = steps.shape
    states = np.empty((count, batch, WIDTH), np.float32)
    joined = np.zeros((batch, width + WIDTH), np.float32)
    cell = np.zeros((batch, WIDTH), np.float32)
    gates = np.empty((batch, 4 * WIDTH), np.float32)
    for step in range(count):
        joined[:, :width] = steps[step]
        np.matmul(joined, weight, out=gates)
        gates += bias
        entering, kept, leaving = (_sigmoid(gates[:, part * WIDTH : (part + 1) * WIDTH]) for part in (0, 1, 3))
        cell *= kept
        cell += entering * np.tanh(gates[:, 2 * WIDTH : 3 * WIDTH])
        np.multiply(leaving, np.tanh(cell), out=states[step])
        joined[:, width:] = states[step]
    return states


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # By tanh, which overflows nowhere.
    sigmoid: NDArray[np.float32] = np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)
    return sigmoid


LEVEL = 10 ** (-30 / 20)
"""-30 dB of full scale, root mean square: the level that the training data was raised to."""

_SILENCE = 1e-5
"""Root mean square below which a window is not raised any further."""


class Resemblyzer:
    """From a window of speech to its Voice. Implements `models.base.Engine`."""

    def __init__(self, path: Path | None = None, *, threads: int = 0) -> None:
        """`path` of the checkpoint as voice_weights() finds it; `threads` 0: as many as the runtime sees fit."""
        self._threads = threads
        self._path = path
        self._network: Network | None = None

    def load(self) -> None:
        path = self._path or voice_weights()
        if path is None:
            raise EngineUnavailable(SPEC.capability, REMEDY)
        self._network = build_network(read_weights(path), threads=self._threads)

    def run(self, batch: Sequence[Samples]) -> Sequence[Voice | Exception]:
        assert self._network is not None, "load() comes first"
        clips = np.stack([_fill(window) for window in batch])
        return list(self._network.encode(mel_spectrograms(_level(clips))[:, : WINDOW // HOP]))

    def close(self) -> None:
        self._network = None


def _fill(window: Samples) -> Samples:
    if not 0 < len(window) <= WINDOW:
        raise ValueError(f"a window has 1 to {WINDOW} samples, not {len(window)}")
    return np.resize(window, WINDOW)


def _level(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    loudness = np.sqrt(np.mean(np.square(clips), axis=1, keepdims=True))
    levelled: NDArray[np.float32] = clips * (np.float32(LEVEL) / np.maximum(loudness, np.float32(_SILENCE)))
    return levelled
