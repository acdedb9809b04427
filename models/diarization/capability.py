"""Declaration of the capability `diarization`: its engines, and how each is built."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from models.capability import (
    BadResult,
    Built,
    Candidate,
    Capability,
    EngineConfig,
    Engines,
    OwnSettings,
)
from models.devices.device import TORCH
from models.diarization import pyannote
from models.diarization.resemblyzer_weights import SPEC as RESEMBLYZER_SPEC
from models.diarization.resemblyzer_weights import voice_remedy
from models.diarization.voices import WINDOW, Diarizer, VoiceEncoder
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.speech.capability import read_greeting

_VOICES_AT_ONCE = 32
"""A batch has at most this many windows. Larger batches would not be faster, and each window takes 1.3 MB."""
_THREADS = 1
"""The network goes through a window step by step, and no step is long enough for two threads: on two cores, 1 to 32
windows take equally long with one thread and with two, which take 40 % more processor time."""


class DiarizationSettings(OwnSettings):
    diarization: str = "auto"
    """`pyannote`, `resemblyzer` or `auto`."""


def _build_resemblyzer(config: EngineConfig) -> Built:
    from models.diarization.resemblyzer import Resemblyzer
    from models.diarization.voices import HostedVoiceEncoder

    limits = config.limits(batch=_VOICES_AT_ONCE)
    host = EngineHost(RESEMBLYZER_SPEC, partial(Resemblyzer, config.weights_dir, threads=_THREADS), limits)
    return Built(HostedVoiceEncoder(host), (host,))


RESEMBLYZER = Candidate(RESEMBLYZER_SPEC, lambda config: voice_remedy(config.weights_dir), _build_resemblyzer)


def _build_pyannote(config: EngineConfig) -> Built:
    engine = partial(pyannote.Pyannote, config.weights_dir / pyannote.FOLDER, device=config.device)
    host = EngineHost(pyannote.SPEC, engine, config.limits())
    return Built(pyannote.HostedDiarizer(host), (host,))


PYANNOTE = Candidate(
    pyannote.SPEC,
    lambda config: pyannote.remedy(config.weights_dir / pyannote.FOLDER),
    _build_pyannote,
    backend=TORCH,
    card=CardMemory(base=50, item=1500),
)


async def _tell_voices_apart(engines: Engines) -> str:
    """Test a voice encoder with two parts of one voice, and with one of these parts played at another speed, which
    sounds like a different voice. Test a diarizer with the whole recording, in which one person speaks."""
    voices = engines.use(DIARIZATION)
    samples = await asyncio.to_thread(read_greeting)
    if isinstance(voices, VoiceEncoder):
        played_fast = np.interp(np.arange(0, len(samples), 1.6), np.arange(len(samples)), samples).astype(np.float32)
        voice, same, different = await voices.embed([samples[:WINDOW], samples[-WINDOW:], played_fast[:WINDOW]])
        to_same, to_different = voice @ same, voice @ different
        if to_same <= to_different + 0.1:
            raise BadResult(
                f"a different voice is almost as similar ({to_different:.2f}) as the same voice ({to_same:.2f})"
            )
        return f"same voice {to_same:.2f}, different voice {to_different:.2f}"
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(samples.tobytes())
        file.flush()
        speakers = {turn.speaker for turn in await voices.diarize(Path(file.name), None)}
    if len(speakers) != 1:
        raise BadResult(f"hears {len(speakers)} speakers where one speaks")
    return "one speaker"


DIARIZATION: Capability[VoiceEncoder | Diarizer] = Capability(
    "diarization", (PYANNOTE, RESEMBLYZER), _tell_voices_apart, DiarizationSettings, order=80
)
