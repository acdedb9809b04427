"""The mel spectrogram for which Resemblyzer was trained: `librosa.feature.melspectrogram` with its defaults.

The module applies Slaney's mel scale and his filters of equal area (M. Slaney, Auditory Toolbox, 1998) to the power
spectrum, like librosa 0.11 (`librosa.filters.mel`, `librosa.mel_frequencies`; ISC licence). The values of the
spectrogram are not logarithms.
"""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000

CHANNELS = 40

FFT = 400
"""Number of samples in a frame and in its Hann window: 25 ms."""

HOP = 160
"""Number of samples between the beginnings of neighbouring frames: 10 ms."""

_LINEAR_STEP = 200 / 3
"""Width of a mel in Hz, below 1000 Hz."""

_LOG_FROM_HZ = 1000.0

_LOG_STEP = np.log(6.4) / 27
"""Natural logarithm of the factor from mel to mel above 1000 Hz: 0.0687, so that 6400 Hz are 27 mels above 1000 Hz."""
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
"""Periodic Hann window, as scipy.signal.get_window returns it."""


def mel_spectrograms(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the spectrograms, float32 [n, 1 + samples // 160, 40], of clips, float32 [n, samples]. Frame t is centred
    on sample 160·t. Clips are padded with silence at both ends."""
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
    """Return the filters, [40, 201]: triangles between the centres of their neighbours, each of area 1."""
    edges = _hz_of(np.linspace(0, _mel_of(SAMPLE_RATE / 2), CHANNELS + 2))
    bins = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    widths = np.diff(edges)[:, None]
    distances = edges[:, None] - bins
    rising, falling = -distances[:-2] / widths[:-1], distances[2:] / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    areas = 2 / (edges[2:] - edges[:-2])
    return (triangles * areas[:, None]).astype(np.float32)


_FILTERS = _filters()
