"""The engines of the `diarization` capability, and how each is put together."""

from functools import partial

from models.candidate import Built, Candidate, EngineConfig
from models.device import resolve_device
from models.host import EngineHost, HostLimits
from models.speech import pyannote
from models.speech.resemblyzer.checkpoint import SPEC, voice_remedy

_WINDOWS_AT_ONCE = 32
"""More gain nothing, and take 1.3 MB each while they are encoded."""


def _build_resemblyzer(config: EngineConfig) -> Built:
    from models.speech.resemblyzer.engine import Resemblyzer
    from models.speech.voices import HostedVoiceEncoder

    limits = HostLimits(_WINDOWS_AT_ONCE, max_queue=config.max_queue, idle_unload_s=config.idle_unload_s)
    host = EngineHost(SPEC, partial(Resemblyzer, threads=config.threads), limits)
    return Built(HostedVoiceEncoder(host), (host,))


RESEMBLYZER = Candidate(SPEC, lambda _: voice_remedy(), _build_resemblyzer)


def _build_pyannote(config: EngineConfig) -> Built:
    assert config.diarization_model is not None, "the remedy says so"
    device = resolve_device(config.device, gpu_package="torch")
    engine = partial(pyannote.Pyannote, config.diarization_model, device=device)
    host = EngineHost(pyannote.SPEC, engine, HostLimits(max_queue=config.max_queue, idle_unload_s=config.idle_unload_s))
    return Built(pyannote.HostedDiarizer(host), (host,))


PYANNOTE = Candidate(pyannote.SPEC, lambda config: pyannote.remedy(config.diarization_model), _build_pyannote)
