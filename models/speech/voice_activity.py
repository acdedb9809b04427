"""Detects speech with Silero's voice activity detector (MIT), which training/speech/voice_activity.py converted so that
it computes many frames at once.

A frame has 32 ms. The convolutions compute a block of frames at once, and the recurrent state passes from block to
block. The state is reset after two seconds without speech, because a long silence makes the network deaf to the first
seconds of speech after it (a probability of 0.8 becomes 0.4 within a minute).
"""

import asyncio
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.speech.transcriber import RATE, Samples

FRAME = 512
"""Number of samples in a frame."""
FRAME_S = FRAME / RATE
_CONTEXT = 64
"""Number of samples before each frame that the network also gets."""
_ROUND_FRAMES = 62
"""At most this many frames are computed together (2 s). The state is reset only at the end of such a round."""
_SILENCE_BELOW = 0.2
"""Probability of speech. If all frames of a round are below it, the state is reset."""
NETWORK = Path(__file__).with_suffix(".onnx")

Probabilities = NDArray[np.float32]
"""float32[frames]: the probability that somebody speaks."""


class VoiceActivity:
    """Detector of speech in one recording, from its beginning."""

    def __init__(self) -> None:
        self._state = _initial_state()
        self._in_round = 0
        """Number of frames of the current round that have been computed."""
        self._highest = 0.0
        """Highest probability among these frames."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.empty(0, np.float32)

    async def add(self, samples: Samples) -> Probabilities:
        """Return the probabilities of the frames that `samples` complete. The remaining samples are kept for the next
        call."""
        return await asyncio.to_thread(self._detect, samples)

    async def finish(self) -> Probabilities:
        """Return the probability of the last frame, padded with silence; an empty array if no samples remain."""
        missing = -len(self._rest) % FRAME
        return await self.add(np.zeros(missing, np.float32))

    def _detect(self, samples: Samples) -> Probabilities:
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // FRAME
        self._rest = sound[count * FRAME :]
        if not count:
            return np.empty(0, np.float32)
        frames = sound[: count * FRAME].reshape(count, FRAME)
        contexts = np.concatenate([self._context[None], frames[:-1, -_CONTEXT:]])
        self._context = frames[-1, -_CONTEXT:]
        sights = np.concatenate([contexts, frames], axis=1)
        # Rounds count from the beginning of the recording, so that the result does not depend on how the samples are
        # divided among calls.
        ends = [*range(_ROUND_FRAMES - self._in_round, count, _ROUND_FRAMES), count]
        return np.concatenate([self._infer(sights[first:last]) for first, last in pairwise([0, *ends])])

    def _infer(self, sights: NDArray[np.float32]) -> Probabilities:
        """Return the probabilities of frames with their contexts. All frames belong to the current round."""
        hidden, cell = self._state
        found, hidden, cell = _session().run(None, {"input": sights, "h": hidden, "c": cell})
        self._state = hidden, cell
        speech = np.asarray(found, np.float32).reshape(-1)
        self._in_round += len(speech)
        self._highest = max(self._highest, float(speech.max()))
        if self._in_round == _ROUND_FRAMES:
            if self._highest < _SILENCE_BELOW:
                self._state = _initial_state()
            self._in_round, self._highest = 0, 0.0
        return speech


def _initial_state() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the hidden state and the cell state at a recording's beginning."""
    return np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32)


@cache
def _session() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(NETWORK), options, providers=["CPUExecutionProvider"])
