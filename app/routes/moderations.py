"""POST /v1/moderations: the guard's judgement of texts and pictures, in OpenAI's form.

The answer has the guard's own codes in addition to OpenAI's categories.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Discriminator, Field, Tag
from starlette.responses import Response

from app.access.admission import Admission
from app.access.key_file import GUARD
from app.access.keys import Caller
from app.assembly.building import largest_inputs
from app.assembly.services import Services
from app.errors import BadRequest, took_too_long
from app.http.request import asks_to_be_forgotten, read_body, until_disconnect
from app.monitoring.metrics import Stages
from app.routes.openapi import json_body
from app.wire.model_names import MODERATION_ALIASES
from app.wire.parse import check_model, parse_off_loop
from app.wire.request import FAIL_FAST, Reference, RequestModel, Url, by_json_type
from models.concurrency import side_by_side
from models.language.llm import estimate_tokens
from models.safety.guard import CODES, IMAGE_CODES
from models.safety.text.settings import GuardSettings
from tasks.guardrails import GUARDS, Check, Policy, codes_of, scores_of
from tasks.inputs.source import Origin, Source, Total

MAX_INPUTS = 256
"""A request has at most this many strings or parts."""
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "harassment": ("S5", "S10"),
    "harassment/threatening": ("S5", "S10"),
    "hate": ("S10",),
    "hate/threatening": ("S10",),
    "illicit": ("S2", "S7", "S8", "S14"),
    "illicit/violent": ("S1", "S9"),
    "self-harm": ("S11",),
    "self-harm/intent": ("S11",),
    "self-harm/instructions": ("S11",),
    "sexual": ("S3", "S12", "S12_IMAGE", "S15_IMAGE"),
    "sexual/minors": ("S4",),
    "violence": ("S1", "S1_IMAGE"),
    "violence/graphic": ("S1_IMAGE",),
}
"""Codes of the guard, by category. The score of a category is the highest score of its codes; the score of a
threatening category is at most the score of _VIOLENT. S6 and S13 have no category."""
_THREATENING = "/threatening"
_VIOLENT = "S1"
"""Code that must apply in addition to a threatening category's own codes."""
_STRINGS_AT_ONCE = 8
"""At most this many strings of one request are judged at a time."""
_EXAMPLES = {
    "Judge texts": {"input": ["How do I kill a hanging Linux process?", "How do I bake bread?"]},
    "Judge a text as a part": {"input": [{"type": "text", "text": "How do I bake bread?"}]},
}


class ModeratedText(RequestModel):
    type: Literal["text"]
    text: str


class ModeratedImage(RequestModel):
    type: Literal["image_url"]
    image_url: Reference


ModeratedPart = Annotated[ModeratedText | ModeratedImage, Field(discriminator="type")]


def _kind_of_item(value: Any) -> str:
    return "·string" if isinstance(value, str) else "·part"


Moderated = Annotated[
    Annotated[str, Tag("·string")] | Annotated[ModeratedPart, Tag("·part")], Discriminator(_kind_of_item)
]


class ModerationRequest(RequestModel):
    input: Annotated[
        Annotated[str, Tag("·string")]
        | Annotated[list[Moderated], FAIL_FAST, Field(min_length=1, max_length=MAX_INPUTS), Tag("·list")],
        by_json_type("a string, a list of strings or a list of 'text' and 'image_url' parts"),
    ]
    model: str | None = None


class ModerationResult(BaseModel):
    flagged: bool
    """True if any category applies."""
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text", "image"]]]
    """The kinds of input that each category was judged by."""
    codes: list[str]
    """The guard codes that apply; some have no category."""
    code_scores: dict[str, float]


class Moderation(BaseModel):
    id: str
    model: str
    """The model as the client named it."""
    results: list[ModerationResult]
    """A result for each string, or one for all parts together."""


def to_result(checks: Sequence[Check]) -> ModerationResult:
    """Return one result for all `checks`."""
    codes, scores = codes_of(checks), scores_of(checks)
    categories = {
        name: any(code in codes for code in own) and (not name.endswith(_THREATENING) or _VIOLENT in codes)
        for name, own in CATEGORIES.items()
    }
    return ModerationResult(
        flagged=any(categories.values()),
        categories=categories,
        category_scores={name: _score(name, own, scores) for name, own in CATEGORIES.items()},
        category_applied_input_types={name: _applied(own, scores) for name, own in CATEGORIES.items()},
        codes=codes,
        code_scores={code: scores[code] for code in CODES if code in scores},
    )


def _score(name: str, codes: Sequence[str], scores: Mapping[str, float]) -> float:
    score = max((scores.get(code, 0.0) for code in codes), default=0.0)
    return min(score, scores.get(_VIOLENT, 0.0)) if name.endswith(_THREATENING) else score


def _applied(codes: Sequence[str], scores: Mapping[str, float]) -> list[Literal["text", "image"]]:
    judged = [code for code in codes if code in scores]
    applied: list[Literal["text", "image"]] = []
    if any(code not in IMAGE_CODES for code in judged):
        applied.append("text")
    if any(code in IMAGE_CODES for code in judged):
        applied.append("image")
    return applied


router = APIRouter(prefix="/v1/moderations", tags=["moderations"])


@router.post(
    "",
    response_model=Moderation,
    openapi_extra=json_body(ModerationRequest, _EXAMPLES),
)
async def moderate(request: Request) -> Response:
    """Judges texts, or texts and pictures together, by OpenAI's categories and the guard's codes."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    stages.task = "guard"
    wanted = await parse_off_loop(ModerationRequest, await read_body(request, services.max_request_bytes))
    request.state.log = {"model": _model(wanted), "stages": stages.milliseconds}
    stages.done("read")
    fresh = asks_to_be_forgotten(request)
    moderating = _moderate(services, wanted, request.state.admission, fresh=fresh, spent_s=stages.seconds)
    answer = await until_disconnect(request.receive, moderating)
    stages.done("guard")
    headers = {"server-timing": stages.header}
    return Response(answer.model_dump_json(), headers=headers, media_type="application/json")


def _model(wanted: ModerationRequest) -> str:
    """Return the requested model. Raises NotFound."""
    model = wanted.model or MODERATION_ALIASES[0]
    if model not in MODERATION_ALIASES:
        check_model(model, param="model")
    return model


async def _moderate(
    services: Services, wanted: ModerationRequest, admission: Admission, *, fresh: bool, spent_s: float
) -> Moderation:
    model, seconds = _model(wanted), services.settings.request_timeout_s
    tokens = await asyncio.to_thread(_tokens, wanted) if admission.is_limited else 0
    await admission.reserve(GUARD, tokens)
    try:
        async with asyncio.timeout(seconds - spent_s) as limit:
            results = await _results(services, wanted, admission.caller, fresh=fresh)
    except TimeoutError:
        if not limit.expired():
            raise
        raise took_too_long(seconds) from None
    await admission.settle(tokens)
    return Moderation(id=f"modr-{uuid.uuid4().hex}", model=model, results=results)


def _tokens(wanted: ModerationRequest) -> int:
    items = [wanted.input] if isinstance(wanted.input, str) else wanted.input
    return sum(estimate_tokens(_text(item)) for item in items)


def _text(item: str | ModeratedText | ModeratedImage) -> str:
    match item:
        case str():
            return item
        case ModeratedText():
            return item.text
        case ModeratedImage():
            return ""


async def _results(
    services: Services, wanted: ModerationRequest, caller: Caller, *, fresh: bool
) -> list[ModerationResult]:
    await services.runtime.prepare(*GUARDS)
    guardrails = services.guardrails
    thresholds = {**services.settings.of(GuardSettings).guard_thresholds, **caller.guard_thresholds}
    text_policy = Policy(guardrails.judged_of_texts, thresholds)
    items = [wanted.input] if isinstance(wanted.input, str) else wanted.input
    parts = [item for item in items if not isinstance(item, str)]
    if not parts:
        texts = [item for item in items if isinstance(item, str)]
        guardrails.check_lengths([(f"input[{place}]", text) for place, text in enumerate(texts)])

        async def result(place: int) -> ModerationResult:
            return to_result(await guardrails.texts([(f"input[{place}]", texts[place])], text_policy))

        return await side_by_side(result, range(len(texts)), at_most=_STRINGS_AT_ONCE)
    if len(parts) != len(items):
        raise BadRequest("Field 'input': strings and parts cannot be mixed in one list", param="input")
    named_texts = [
        (f"input[{place}].text", part.text) for place, part in enumerate(parts) if isinstance(part, ModeratedText)
    ]
    guardrails.check_lengths(named_texts)
    checks = await guardrails.texts(named_texts, text_policy)
    sources = _sources(services, parts, caller.tenant, fresh=fresh)
    if sources:
        policy = Policy(guardrails.judged_of_pictures, thresholds)
        checks += await guardrails.pictures(sources, policy, all_seen=True)
    return [to_result(checks)]


def _sources(
    services: Services, parts: Sequence[ModeratedText | ModeratedImage], owner: str, *, fresh: bool
) -> list[Source]:
    """Return the pictures of a request. Raises BadRequest for too many pictures."""
    limit = services.settings.max_sources
    total = Total(largest_inputs(services.settings))
    sources = [
        replace(
            Source.from_reference(_url(part), origin=Origin(f"input[{index}].image_url"), total=total),
            owner=owner,
            fresh=fresh,
        )
        for index, part in enumerate(parts)
        if isinstance(part, ModeratedImage)
    ]
    if len(sources) > limit:
        raise BadRequest(
            f"'input' holds {len(sources)} pictures; the limit is {limit} (OPENFAZE_MAX_SOURCES)",
            code="too_many_sources",
            param="input",
        )
    return sources


def _url(part: ModeratedImage) -> str:
    reference = part.image_url
    return reference.url if isinstance(reference, Url) else reference
