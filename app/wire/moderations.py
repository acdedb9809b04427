"""What POST /v1/moderations takes and answers, as OpenAI's does, with our codes beside its categories."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from app.wire.request import FAIL_FAST, Reference, Wire, by_json_type

MODELS = (
    "omni-moderation-latest",
    "omni-moderation-2024-09-26",
    "text-moderation-latest",
    "text-moderation-stable",
)
"""OpenAI's names, which clients send by default; all mean the engines that are here."""
MAX_INPUTS = 256
"""Strings or parts of one request."""


class ModeratedText(Wire):
    type: Literal["text"]
    text: str


class ModeratedImage(Wire):
    type: Literal["image_url"]
    image_url: Reference


Part = Annotated[ModeratedText | ModeratedImage, Field(discriminator="type")]


def _kind_of_item(value: Any) -> str:
    return "·string" if isinstance(value, str) else "·part"


Item = Annotated[Annotated[str, Tag("·string")] | Annotated[Part, Tag("·part")], Discriminator(_kind_of_item)]


class ModerationRequest(Wire):
    input: Annotated[
        Annotated[str, Tag("·string")]
        | Annotated[list[Item], FAIL_FAST, Field(min_length=1, max_length=MAX_INPUTS), Tag("·list")],
        by_json_type("a string, a list of strings or a list of 'text' and 'image_url' parts"),
    ]
    model: str | None = None


class ModerationResult(BaseModel):
    flagged: bool
    """Whether any category is."""
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text", "image"]]]
    """What the score of each category was found by."""
    codes: list[str]
    """The guard codes that apply; some have no category."""
    code_scores: dict[str, float]


class Moderation(BaseModel):
    id: str
    model: str
    """As the client asked for it."""
    results: list[ModerationResult]
    """One for each string; one for all parts together."""
