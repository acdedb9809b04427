"""Where somebody speaks: Silero's voice activity detector (MIT), in a form that takes many frames at once:
training/speech/voice_activity.py makes the file.

It looks at frames of 32 ms. The network's convolutions see many frames at once; what it remembers from one frame to the
next goes on into the next block, until nobody has spoken for a while: a memory of nothing but silence makes it deaf to
the first seconds of what comes after (0.8 becomes 0.4 within a minute).
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
"""Samples of a frame."""
FRAME_S = FRAME / RATE
_CONTEXT = 64
"""Samples before each frame that the network sees too."""
_ROUND = 62
"""Frames that are looked at together, and after which the network may forget: 2 s."""
_NOBODY = 0.2
"""Where no frame of a round reaches it, nothing in it is worth remembering."""
NETWORK = Path(__file__).with_suffix(".onnx")

Probabilities = NDArray[np.float32]
"""float32[frames]: that somebody speaks."""


class VoiceActivity:
    """One recording, from its beginning."""

    def __init__(self) -> None:
        self._memory = _nothing()
        self._in_round = 0
        """Frames of the present round that have been seen."""
        self._highest = 0.0
        """The highest of their probabilities."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.empty(0, np.float32)

    async def add(self, samples: Samples) -> Probabilities:
        """The probabilities of the frames that are complete with these samples; the rest waits for the next ones."""
        return await asyncio.to_thread(self._added, samples)

    async def finish(self) -> Probabilities:
        """The probability of the last frame, filled up with silence; none where all are complete."""
        missing = -len(self._rest) % FRAME
        return await self.add(np.zeros(missing, np.float32))

    def _added(self, samples: Samples) -> Probabilities:
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // FRAME
        self._rest = sound[count * FRAME :]
        if not count:
            return np.empty(0, np.float32)
        frames = sound[: count * FRAME].reshape(count, FRAME)
        contexts = np.concatenate([self._context[None], frames[:-1, -_CONTEXT:]])
        self._context = frames[-1, -_CONTEXT:]
        sights = np.concatenate([contexts, frames], axis=1)
        # Rounds are counted from the recording's beginning, so that the result is the same for blocks of any length.
        ends = [*range(_ROUND - self._in_round, count, _ROUND), count]
        return np.concatenate([self._seen(sights[first:last]) for first, last in pairwise([0, *ends])])

    def _seen(self, sights: NDArray[np.float32]) -> Probabilities:
        """The probabilities of frames with their contexts, which all belong to the present round."""
        hidden, cell = self._memory
        found, hidden, cell = _session().run(None, {"input": sights, "h": hidden, "c": cell})
        self._memory = hidden, cell
        speech = np.asarray(found, np.float32).reshape(-1)
        self._in_round += len(speech)
        self._highest = max(self._highest, float(speech.max()))
        if self._in_round == _ROUND:
            if self._highest < _NOBODY:
                self._memory = _nothing()
            self._in_round, self._highest = 0, 0.0
        return speech


def _nothing() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The hidden state and the cell state of a recording's beginning."""
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
