"""POST /v1/moderations: what a guard makes of texts and pictures, without anything else."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.chat.event_driver import took_too_long
from app.disconnect import until_disconnect
from app.errors import BadRequest
from app.moderation import moderated
from app.openapi import json_body
from app.routes.body import read_body
from app.routes.headers import asks_to_be_forgotten
from app.routes.models import check_model
from app.services import Services
from app.telemetry import Stages
from app.wire.moderations import MODELS, ModeratedImage, ModeratedText, Moderation, ModerationRequest, ModerationResult
from app.wire.parse import parse_aside
from app.wire.request import Url
from models.safety.capability import GuardSettings
from tasks.guardrails import GUARDS, Policy
from tasks.inputs.limits import MB
from tasks.inputs.source import Origin, Source, Total
from tasks.side_by_side import side_by_side

_AT_ONCE = 8
"""Strings of one request that are judged at a time."""

_EXAMPLES = {
    "Judge texts": {"input": ["How do I kill a hanging Linux process?", "How do I bake bread?"]},
    "Judge a text as a part": {"input": [{"type": "text", "text": "How do I bake bread?"}]},
}

router = APIRouter(prefix="/v1/moderations", tags=["moderations"])


@router.post(
    "",
    response_model=Moderation,
    openapi_extra=json_body(ModerationRequest, _EXAMPLES),
)
async def moderate(request: Request) -> Response:
    """What the guard makes of each text, or of texts and pictures together: OpenAI's categories, and the guard's
    codes."""
    services: Services = request.app.state.services
    stages = Stages()
    body = await read_body(request, services.max_request_bytes)
    asked = await parse_aside(ModerationRequest, body, services.settings.max_json_values, services.wire)
    model = asked.model or MODELS[0]
    if model not in MODELS:
        check_model(model, param="model")
    request.state.log = {"model": model, "stages": stages.milliseconds}
    stages.done("read")

    seconds = services.settings.request_timeout_s
    try:
        async with asyncio.timeout(seconds) as limit:
            results = await until_disconnect(request.receive, _results(request, asked))
    except TimeoutError:
        if not limit.expired():
            raise
        raise took_too_long(seconds) from None
    stages.done("guard")
    answer = Moderation(id=f"modr-{uuid.uuid4().hex}", model=model, results=results)
    headers = {"server-timing": stages.header}
    return Response(answer.model_dump_json(), headers=headers, media_type="application/json")


async def _results(request: Request, asked: ModerationRequest) -> list[ModerationResult]:
    services: Services = request.app.state.services
    await services.runtime.prepare(*GUARDS)
    guardrails = services.guardrails
    thresholds = {**services.settings.of(GuardSettings).guard_thresholds, **request.state.caller.guard_thresholds}
    of_texts = Policy(guardrails.judged_of_texts, thresholds)
    items = [asked.input] if isinstance(asked.input, str) else asked.input
    parts = [item for item in items if not isinstance(item, str)]
    if not parts:
        texts = [item for item in items if isinstance(item, str)]
        guardrails.check_lengths([(f"input[{place}]", text) for place, text in enumerate(texts)])

        async def result(place: int) -> ModerationResult:
            return moderated(await guardrails.texts([(f"input[{place}]", texts[place])], of_texts))

        return await side_by_side(result, range(len(texts)), at_most=_AT_ONCE)
    if len(parts) != len(items):
        raise BadRequest("Field 'input': strings and parts cannot be mixed in one list", param="input")
    said = [(f"input[{place}].text", part.text) for place, part in enumerate(parts) if isinstance(part, ModeratedText)]
    guardrails.check_lengths(said)
    checks = await guardrails.texts(said, of_texts)
    sources = _sources(request, parts)
    if sources:
        policy = Policy(guardrails.judged_of_pictures, thresholds)
        checks += await guardrails.pictures(sources, policy, all_seen=True)
    return [moderated(checks)]


def _sources(request: Request, parts: Sequence[ModeratedText | ModeratedImage]) -> list[Source]:
    """The pictures. Raises BadRequest for more than a request may show."""
    services: Services = request.app.state.services
    limit = services.settings.max_sources
    total = Total(int(services.settings.max_total_mb * MB))
    sources = [
        replace(
            Source.from_reference(_url(part), origin=Origin(f"input[{place}].image_url"), total=total),
            owner=request.state.caller.tenant,
            fresh=asks_to_be_forgotten(request),
        )
        for place, part in enumerate(parts)
        if isinstance(part, ModeratedImage)
    ]
    if len(sources) > limit:
        raise BadRequest(
            f"'input' holds {len(sources)} pictures; the limit is {limit} (OPENFAZE_MAX_SOURCES)",
            code="too_many_sources",
            param="input",
        )
    return sources


def _url(part: ModeratedImage) -> str | memoryview:
    reference = part.image_url
    return reference.url if isinstance(reference, Url) else reference
