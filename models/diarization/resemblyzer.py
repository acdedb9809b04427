"""Diarization engine: Resemblyzer, from a window of speech to a vector of the voice, on OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.diarization.mel_spectrogram import HOP, mel_spectrograms
from models.diarization.resemblyzer_weights import read_weights, voice_weights
from models.diarization.voices import WINDOW, Voice
from models.speech.transcriber import Samples

if TYPE_CHECKING:
    from models.diarization.resemblyzer_network import VoiceNetwork

TRAINING_LEVEL = 10 ** (-30 / 20)
"""Root mean square to which the training data was normalised: -30 dB of full scale."""
_SILENCE = 1e-5
"""Root mean square below which a window is amplified no further, because it is silent."""


class Resemblyzer:
    """Implementation of `models.base.Engine` from a window of speech to its Voice."""

    def __init__(self, root: Path = Path("weights"), *, threads: int = 0) -> None:
        """Create the engine. `root` is the weights directory. With 0 `threads`, the runtime chooses their number."""
        self._threads = threads
        self._root = root
        self._network: VoiceNetwork | None = None

    def load(self) -> None:
        from models.diarization.resemblyzer_network import VoiceNetwork

        self._network = VoiceNetwork(read_weights(voice_weights(self._root)), threads=self._threads)

    def run(self, batch: Sequence[Samples]) -> Sequence[Voice | Exception]:
        assert self._network is not None, "load() comes first"
        clips = np.stack([_repeated_to_window(window) for window in batch])
        return list(self._network.encode(mel_spectrograms(_normalised(clips))[:, : WINDOW // HOP]))

    def close(self) -> None:
        self._network = None


def _repeated_to_window(window: Samples) -> Samples:
    if not 0 < len(window) <= WINDOW:
        raise ValueError(f"a window has 1 to {WINDOW} samples, not {len(window)}")
    return np.resize(window, WINDOW)


def _normalised(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    loudness = np.sqrt(np.mean(np.square(clips), axis=1, keepdims=True))
    levelled: NDArray[np.float32] = clips * (np.float32(TRAINING_LEVEL) / np.maximum(loudness, np.float32(_SILENCE)))
    return levelled
