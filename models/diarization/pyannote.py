"""Diarization engine: pyannote's speaker-diarization-community-1, for operators who accepted its conditions.

It is a complete pipeline on torch, from segmentation to clustering. By default it reports its use to its maker; this
module switches the reports off.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineSpec
from models.devices.device import TORCH
from models.diarization.voices import VoiceTurn
from models.hosts.host import EngineHost
from models.speech.transcriber import RATE

FOLDER = "speaker-diarization-community-1"
SPEC = EngineSpec(
    "pyannote", "diarization", "MIT (code), CC-BY-4.0 (weights)", f"the folder '{FOLDER}' (pyannote/{FOLDER})"
)

_CONFIG = "config.yaml"


def remedy(folder: Path) -> str | None:
    """Return a sentence on what is missing for the engine to run here; None if nothing is. Nothing is loaded."""
    if not (folder / _CONFIG).is_file():
        return (
            f"Run `hf download pyannote/{FOLDER} --local-dir {FOLDER}` in the folder OPENFAZE_WEIGHTS_DIR, once "
            "you have accepted its conditions at Hugging Face."
        )
    if find_spec("pyannote") is None or find_spec("pyannote.audio") is None:
        return "Install pyannote and torch: `openfaze install pyannote`."
    return None


@dataclass(frozen=True, slots=True)
class DiarizationInput:
    path: Path
    """Path of a file that contains only float32 samples, mono, 16 kHz."""
    speakers: int | None = None


class Pyannote:
    """Implementation of `models.base.Engine` from a DiarizationInput to its ordered turns, without overlaps."""

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        """`folder` contains the pipeline's `config.yaml` and the models that this file names."""
        self._folder = folder
        self._device = device
        self._pipeline: Any = None

    def load(self) -> None:
        # pyannote reads the variable when it is imported.
        os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
        import torch
        from pyannote.audio import Pipeline

        pipeline = Pipeline.from_pretrained(self._folder)
        pipeline.to(torch.device(TORCH.check(self._device, SPEC.capability)))
        self._pipeline = pipeline

    def run(self, batch: Sequence[DiarizationInput]) -> Sequence[tuple[VoiceTurn, ...] | Exception]:
        return [self._turns_or_error(recording) for recording in batch]

    def close(self) -> None:
        self._pipeline = None

    def _turns_or_error(self, recording: DiarizationInput) -> tuple[VoiceTurn, ...] | Exception:
        try:
            return self._turns(recording)
        except Exception as error:  # noqa: BLE001 - an error is the result of its recording
            return error

    def _turns(self, recording: DiarizationInput) -> tuple[VoiceTurn, ...]:
        import torch

        # The mapping is private (copy-on-write), because torch accepts only writable arrays.
        samples = np.memmap(recording.path, np.float32, mode="c")
        sound = {"waveform": torch.from_numpy(samples)[None], "sample_rate": RATE}
        found = self._pipeline(sound, num_speakers=recording.speakers).exclusive_speaker_diarization
        return tuple(
            VoiceTurn(turn.start, turn.end, speaker) for turn, _, speaker in found.itertracks(yield_label=True)
        )


class HostedDiarizer:
    """A Diarizer whose engine, a Pyannote, runs in an EngineHost. Recordings wait while the queue is full."""

    def __init__(self, host: EngineHost[DiarizationInput, tuple[VoiceTurn, ...]]) -> None:
        self._host = host

    async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
        return await self._host.run(DiarizationInput(recording, speakers), wait=True)
