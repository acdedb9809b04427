"""The settings of the `text_guard` capability."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from models.capability import OwnSettings
from models.devices.device import AUTO
from models.safety.guard import CODES
from models.safety.text.dialects import GptOssSafeguardDialect, GuardDialect, LlamaGuardDialect, Qwen3GuardDialect
from models.setting_types import Address

DIALECTS: tuple[type[GuardDialect], ...] = (Qwen3GuardDialect, GptOssSafeguardDialect, LlamaGuardDialect)


def thresholds_in(text: str) -> dict[str, str]:
    """Return the scores in a text such as `S1=0.6,S10=0.4`, by code. Raises ValueError for an unknown code, and for a
    part that is not a pair."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    for code, equals, _ in pairs:
        if code.strip().upper() not in CODES or not equals:
            raise ValueError(f"'{code.strip()}' should be a guard code with its score, such as S1=0.6")
    return {code.strip().upper(): score.strip() for code, _, score in pairs}


def is_known_guard(model: str) -> bool:
    """True if the name that a server gives its model shows the kind of guard model."""
    return any(dialect.family.search(model) for dialect in DIALECTS)


def _thresholds(value: object) -> object:
    return thresholds_in(value) if isinstance(value, str) else value


Thresholds = Annotated[Mapping[str, Annotated[float, Field(ge=0, le=1)]], NoDecode, BeforeValidator(_thresholds)]


class GuardSettings(OwnSettings):
    text_guard: str = "auto"
    """An engine that judges texts for `<guard>` (docs/guardrails.md lists them), or `auto`: each code is judged by the
    first engine that can run here and knows it."""
    guard_base_url: Address | None = None
    """An OpenAI-compatible server that runs a guard model: Qwen3Guard, gpt-oss-safeguard or Llama Guard."""
    guard_api_key: SecretStr | None = None
    """API key of the server at OPENFAZE_GUARD_BASE_URL."""
    guard_model: str | None = None
    """Name of the guard model on the server at OPENFAZE_GUARD_BASE_URL."""
    guard_timeout_s: float = Field(default=20, gt=0)
    """Seconds that judging a picture, or 50,000 characters of a text, may take. After this time, the request is
    refused."""
    max_guard_verdicts: int = Field(default=10_000, ge=0)
    """Largest number of verdicts on texts that a guard keeps, by a hash of the text and separately for each key, so
    that the history of a conversation is not judged again in each turn. 0 keeps none."""
    guard_thresholds: Thresholds = Field(default={})
    """Comma-separated lowest scores at which guard codes apply, instead of the engine's own thresholds:
    `S1=0.6,S12_IMAGE=0.8`."""

    @model_validator(mode="after")
    def _knows_the_guard(self) -> Self:
        if self.guard_base_url and self.text_guard == AUTO and not is_known_guard(self.guard_model or ""):
            raise ValueError(
                "OPENFAZE_GUARD_BASE_URL: OPENFAZE_GUARD_MODEL names no Qwen3Guard, gpt-oss-safeguard or Llama Guard 3 "
                "or 4; set OPENFAZE_TEXT_GUARD to the kind of model that is there"
            )
        return self
