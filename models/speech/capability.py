"""Declaration of the capability `speech_to_text`: its engines, and how each is built."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import Field

from models.base import EngineSpec, EngineUnavailable
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.devices.device import CPU, CTRANSLATE2
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.setting_types import EMBEDDED, STANDARD
from models.speech import whisper_files
from models.speech.transcriber import LONGEST_S, RATE, Samples, SpeechWindow, Transcriber, WindowText
from models.speech.whisper_files import BASE, CAPABILITY, LARGE_V3_TURBO, SMALL, WhisperFiles, files_of
from models.weights.files import WeightSet

_WINDOWS_AT_ONCE = 8
"""Number of windows that are decoded together on a CPU. A larger batch is hardly faster, and makes a short recording
wait longer for the batch ahead of it."""


_WINDOWS_ON_A_CARD = 32
"""At most this many windows are decoded together on a card."""
_GREETING = Path(__file__).with_name("good_morning.opus")
"""Two seconds of speech, made by espeak-ng."""


class SpeechSettings(OwnSettings):
    speech_to_text: str = "auto"
    """`whisper`, `whisper-large-v3-turbo`, `whisper-small`, `whisper-base` or `auto`."""
    speech_model: Path | None = None
    """A folder with a Whisper model for CTranslate2, for `whisper`."""
    speech_batch: int = Field(default=0, ge=0)
    """Stretches of 30 seconds that are decoded together. `0`: 8; on a card up to 32, in half of its memory."""


def _whisper(
    spec: EngineSpec,
    locate: Callable[[EngineConfig], WhisperFiles],
    card: CardMemory,
    *,
    window_s: float = 30.0,
    translates: bool = True,
    profile: str = EMBEDDED,
) -> Candidate:
    """Return a candidate for a Whisper model.

    `locate` finds the model's files. `window_s` is the length of a window in seconds: less than 30 if measurements have
    shown that the model recognises shorter windows equally well without padding. `translates` is False for a model that
    cannot translate into English; for a model of English alone, it has no effect. An item of `card` is one window: the
    decoder's memory for 30 s and five beams, and the encoder's scores, in 16 bits.
    """

    def remedy(config: EngineConfig) -> str | None:
        try:
            locate(config)
        except EngineUnavailable as error:
            return error.remedy
        return None if is_installed("faster_whisper", "ctranslate2") else "Install the package 'faster-whisper'."

    def build(config: EngineConfig) -> Built:
        from models.speech.transcriber import HostedTranscriber
        from models.speech.whisper import Whisper

        files = locate(config)
        device = CTRANSLATE2.resolve(config.device)
        usual = _WINDOWS_AT_ONCE if device == CPU else _windows_on(config.card_room(device), card)
        limits = config.limits(batch=config.of(SpeechSettings).speech_batch or usual)
        host: EngineHost[SpeechWindow, WindowText] = EngineHost(
            spec,
            partial(Whisper, files, device=device, threads=config.threads or None, fills_windows=window_s == LONGEST_S),
            limits,
        )
        languages = ("en",) if files.english_only else None
        can_translate = translates and languages is None
        return Built(
            HostedTranscriber(host, languages=languages, can_translate=can_translate, window_s=window_s), (host,)
        )

    return Candidate(spec, remedy, build, backend=CTRANSLATE2, profile=profile, card=card)


def _windows_on(room: int | None, card: CardMemory) -> int:
    """Return the number of windows that take at most half of a card, of which `room` bytes may be taken."""
    if room is None:
        return card.items
    return min(card.items, max(1, (room // (2 * 10**6) - card.base) // card.item))


def _spec(weights: WeightSet) -> EngineSpec:
    return EngineSpec(weights.name, CAPABILITY, weights.licence, weights.comes_from)


OWN_WHISPER = _whisper(
    EngineSpec("whisper", CAPABILITY, "the model's", "the directory OPENFAZE_SPEECH_MODEL"),
    lambda config: whisper_files.own_files(config.of(SpeechSettings).speech_model),
    # The memory of large-v3, because a model of the operator's own may be as large.
    CardMemory(base=3100, item=1300, items=_WINDOWS_ON_A_CARD),
)

WHISPER_LARGE_V3_TURBO = _whisper(
    _spec(LARGE_V3_TURBO),
    partial(files_of, LARGE_V3_TURBO),
    CardMemory(base=1620, item=200, items=_WINDOWS_ON_A_CARD),
    profile=STANDARD,
    translates=False,  # according to its authors: "the turbo model is not trained for translation tasks"
)

WHISPER_SMALL = _whisper(
    _spec(SMALL),
    partial(files_of, SMALL),
    CardMemory(base=490, item=330, items=_WINDOWS_ON_A_CARD),
    profile=STANDARD,
)

_WHISPER_BASE_ALONE = _whisper(
    _spec(BASE),
    partial(files_of, BASE),
    CardMemory(base=160, item=110, items=_WINDOWS_ON_A_CARD),
    window_s=15.0,
)

TINY_EN = _whisper(
    replace(_spec(whisper_files.TINY_EN), name="whisper-tiny-en"),
    partial(files_of, whisper_files.TINY_EN),
    CardMemory(base=80, item=80, items=_WINDOWS_ON_A_CARD),
    window_s=15.0,
)
"""The network for English in WHISPER_BASE, which an operator cannot choose by itself."""


def _build_english_first(config: EngineConfig) -> Built:
    from models.speech.english_first import EnglishFirst

    assert _WHISPER_BASE_ALONE.build is not None
    assert TINY_EN.build is not None
    other, english = _WHISPER_BASE_ALONE.build(config), TINY_EN.build(config)
    return Built(EnglishFirst(english.service, other.service), (*english.parts, *other.parts))


WHISPER_BASE = replace(
    _WHISPER_BASE_ALONE,
    remedy=lambda config: _WHISPER_BASE_ALONE.remedy(config) or TINY_EN.remedy(config),
    build=_build_english_first,
)
"""Whisper base for all languages except English. English is left to tiny.en, which transcribes it equally well in half
the time."""


def read_greeting() -> Samples:
    from faster_whisper.audio import decode_audio

    return np.asarray(decode_audio(str(_GREETING), sampling_rate=RATE), np.float32)


async def _transcribe_a_greeting(engines: Engines) -> str:
    from models.speech.voice_activity import VoiceActivity

    samples = await asyncio.to_thread(read_greeting)
    speech_probabilities = await VoiceActivity().add(samples)
    transcribed = await engines.use(SPEECH_TO_TEXT).transcribe(SpeechWindow(samples, "en"))
    text = "".join(word.text for word in transcribed.words).strip()
    if "good morning" not in text.lower() or not 0.2 < (speech_probabilities > 0.5).mean() < 0.95:
        raise BadResult(f"heard {text!r} where the recording says 'Good morning everybody.'")
    probability = sum(word.probability for word in transcribed.words) / len(transcribed.words)
    return f"heard {text!r}, {probability:.2f} sure"


SPEECH_TO_TEXT: Capability[Transcriber] = Capability(
    CAPABILITY,
    (OWN_WHISPER, WHISPER_LARGE_V3_TURBO, WHISPER_SMALL, WHISPER_BASE),
    _transcribe_a_greeting,
    SpeechSettings,
    order=70,
)
