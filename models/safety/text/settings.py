"""The settings of the `text_guard` capability."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from models.capability import OwnSettings
from models.devices.device import AUTO
from models.safety.guard import CODES
from models.safety.text.dialects import GptOssSafeguardDialect, GuardDialect, LlamaGuardDialect, Qwen3GuardDialect
from models.setting_types import ServerUrl

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
    """An [engine](guard-engines.md) that judges texts, or `auto`: each code by the first that knows it."""
    guard_base_url: ServerUrl | None = None
    """An OpenAI-compatible server with Qwen3Guard, gpt-oss-safeguard or Llama Guard."""
    guard_api_key: SecretStr | None = None
    """API key of the guard's server."""
    guard_model: str | None = None
    """Model of the guard's server."""
    guard_thresholds: Thresholds = Field(default={})
    """Lowest scores at which codes apply, instead of the engine's own: `S1=0.6,S12_IMAGE=0.8`."""

    @model_validator(mode="after")
    def _knows_the_guard(self) -> Self:
        if self.guard_base_url and self.text_guard == AUTO and not is_known_guard(self.guard_model or ""):
            raise ValueError(
                "OPENFAZE_GUARD_BASE_URL: OPENFAZE_GUARD_MODEL names no Qwen3Guard, gpt-oss-safeguard or Llama Guard 3 "
                "or 4; set OPENFAZE_TEXT_GUARD to the kind of model that is there"
            )
        return self
