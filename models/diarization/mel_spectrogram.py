"""The mel spectrogram that Resemblyzer was trained on: `librosa.feature.melspectrogram` with its defaults.

Slaney's mel scale and his filters of equal area (M. Slaney, Auditory Toolbox, 1998) over the power spectrum, as
librosa 0.11 computes them (`librosa.filters.mel`, `librosa.mel_frequencies`; ISC licence). It is not logarithmic.
"""

import numpy as np
from numpy.typing import NDArray

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
