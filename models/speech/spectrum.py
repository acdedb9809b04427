"""Computes the input of Whisper: log-mel spectrograms with a hundred frames per second."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.speech.transcriber import Samples

_LEAST_POWER = 1e-10
_DYNAMIC_RANGE = 8.0
"""Dynamic range of a spectrogram, in powers of ten. Lower values are raised to the lower end of this range."""

LogMelSpectrogram = NDArray[np.float32]
"""float32[bands, frames]."""


def log_mel_function(extractor: Any) -> Callable[[Samples, int], LogMelSpectrogram]:
    """Return a function that takes sound and a number of frames, and returns the log-mel spectrogram of the sound
    padded with silence to this length. The function computes the same as `extractor`, a feature extractor of
    faster-whisper, in a third of the processor time: the silence takes no time, and there is no matrix product in which
    BLAS keeps the other processors waiting."""
    size, hop = int(extractor.n_fft), int(extractor.hop_length)
    filters: NDArray[np.float32] = extractor.mel_filters
    taps = filters != 0
    taps[~taps.any(axis=1), 0] = True  # each band gets at least one tap, so that `reduceat` can sum from band to band
    bands, bins = np.nonzero(taps)
    firsts = np.flatnonzero(np.diff(bands, prepend=-1))
    weights = filters[bands, bins][:, None]
    window = np.hanning(size + 1)[:-1].astype(np.float32)

    def spectrum(samples: Samples, frames: int) -> LogMelSpectrogram:
        sound = samples[: frames * hop]
        silence = frames * hop - len(sound)
        reached = min(frames, -(-(len(sound) + size // 2) // hop))
        # Sound is mirrored beyond both ends. The silence only has to be as long as the part that the last frame covers.
        mirrored = np.pad(np.pad(sound, (0, min(silence, 2 * size))), size // 2, mode="reflect")
        seen = np.lib.stride_tricks.sliding_window_view(mirrored, size)[::hop][:reached]
        waves = np.ascontiguousarray(np.fft.rfft(seen * window).T)
        power = waves.real**2 + waves.imag**2
        power = power[bins]
        power *= weights
        made = np.full((len(filters), frames), _LEAST_POWER, np.float32)
        np.maximum(np.add.reduceat(power, firsts, axis=0), _LEAST_POWER, out=made[:, :reached])
        np.log10(made, out=made)
        np.maximum(made, made.max() - _DYNAMIC_RANGE, out=made)
        made += 4.0
        made /= 4.0
        return made

    return spectrum
