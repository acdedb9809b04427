"""Names of models in requests. OpenAI's own names, which its clients send by default, mean the engine that serves the
route here."""

from typing import Literal

MODEL = "interfaze-beta"
ALIASES = ("interfaze-1", "interfaze-1-lite", "interfaze", "auto")
EMBEDDING_MODEL = "openfaze-embedding"
EMBEDDING_ALIASES = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
TRANSCRIPTION_ALIASES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
)
MODERATION_ALIASES = (
    "omni-moderation-latest",
    "omni-moderation-2024-09-26",
    "text-moderation-latest",
    "text-moderation-stable",
)
LISTED = (MODEL, EMBEDDING_MODEL)
ALL = (*LISTED, *ALIASES, *EMBEDDING_ALIASES, *TRANSCRIPTION_ALIASES, *MODERATION_ALIASES)

ModelType = Literal["chat", "embedding", "transcription", "moderation"]


def model_type(name: str) -> ModelType:
    """Return what a model of `ALL` is for."""
    if name in (EMBEDDING_MODEL, *EMBEDDING_ALIASES):
        return "embedding"
    if name in TRANSCRIPTION_ALIASES:
        return "transcription"
    return "moderation" if name in MODERATION_ALIASES else "chat"
