"""/v1/responses: chat in the form of OpenAI's newer API, with stored responses."""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

import pydantic_core
import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import Response as HttpResponse

from app.assembly.services import Services
from app.errors import BadRequest, NotFound, PayloadTooLarge
from app.events import Event, Finish, Progress
from app.http.request import PROGRESS_HEADER, ZDR_HEADER, is_on, read_body, until_disconnect, within
from app.http.stream import EventStream
from app.monitoring.metrics import Stages
from app.routes.chat import BOOKING, call_of
from app.routes.openapi import DirectRoute, json_body
from app.state.entries import StoreDown
from app.state.responses import LARGEST_RESPONSE, StoredResponse
from app.wire.parse import (
    MAX_VALUES,
    check_model,
    find_misspelt,
    parse,
    parse_off_loop,
)
from app.wire.request import MAX_MESSAGES
from app.wire.response import ResponseModel, encode_progress
from app.wire.response_items import InputItem, ReferenceItem, StoredItems, kept_items
from app.wire.responses import CHAT_FIELDS, ConvertedRequest, ResponsesRequest, convert_request
from app.wire.responses_answer import OutputItem, OutputMessage, Response, ResponseBuilder, begin_response
from tasks.inputs.limits import megabytes

MAX_TURNS = 1000
"""A conversation has at most this many responses."""
MAX_ITEMS = MAX_MESSAGES
"""The stored part of a conversation has at most this many items."""
MAX_STORED_VALUES = 2 * MAX_VALUES
"""A stored list of items has at most this many values. It has more than MAX_VALUES because the stored form of an item
has more values than the one that is sent: a type, an id and a state."""
MAX_LISTED = 100
_ITEM_ID = re.compile(r"[a-z]+_([0-9a-f]{32})i?[0-9a-f]{4}")
"""Pattern of the ids of items. An item's id contains the id of its response, without `resp_`."""

Keep = Callable[[Response, bytes], Awaitable[str | None]]
"""Function that stores a response with its JSON. It returns None, or a warning."""

log = structlog.get_logger(__name__)

_EXAMPLES = {
    "Ask something": {"model": "interfaze-beta", "input": "What is OCR?", "max_output_tokens": 100},
    "Fill a schema, and tell where each field comes from": {
        "model": "interfaze-beta",
        "input": "Room 7 is for Anna Kowalski, who stays for 3 nights.",
        "text": {"format": {"type": "json_schema", "name": "booking", "schema": BOOKING}},
        "evidence": True,
    },
    "Read a text, without an LLM": {
        "model": "interfaze-beta",
        "instructions": "<task>ocr</task>",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_file", "filename": "note.txt", "file_data": "SGVsbG8h"}],
            }
        ],
        "store": False,
    },
}


class ItemList(ResponseModel):
    object: Literal["list"] = "list"
    data: Sequence[Any]
    first_id: str
    last_id: str
    has_more: bool


class ResponseDeleted(ResponseModel):
    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


router = APIRouter(prefix="/v1/responses", tags=["responses"])


async def _keep(
    services: Services, tenant: str, wanted: ResponsesRequest, answer: Response, content: bytes
) -> str | None:
    """Store a response. Return None, or a warning with the reason why the response is not stored."""
    number = answer.id.removeprefix("resp_")
    try:
        await services.responses.put(tenant, answer.id, lambda: _to_stored(wanted, number, answer, content))
    except ValueError:
        limit = megabytes(LARGEST_RESPONSE)
        return f"The response is not kept: with its input it is larger than {limit}."
    except StoreDown as error:
        log.warning("response_not_kept", reason=str(error))
        return "The response is not kept: the server's store of responses is not working at the moment."
    return None


def _to_stored(request: ResponsesRequest, response_number: str, answer: Response, content: bytes) -> StoredResponse:
    items = pydantic_core.to_json(list(kept_items(request.items, response_number)))
    output = pydantic_core.to_json([_without_logprobs(item) for item in answer.output])
    return StoredResponse(request.previous_response_id, items, output, content)


def _without_logprobs(item: OutputItem) -> OutputItem:
    """Return an item of the output as the next request reads it. The log probabilities of a text, which may be hundreds
    of values for each token, remain in the response that can be fetched."""
    if not isinstance(item, OutputMessage):
        return item
    return item.model_copy(update={"content": [part.model_copy(update={"logprobs": []}) for part in item.content]})


def _read_items(stored: StoredResponse) -> list[InputItem]:
    """Return the items of a stored response and its request. Raises PayloadTooLarge."""
    parts = (stored.input, stored.output)
    return [item for part in parts for item in parse(StoredItems, part, MAX_STORED_VALUES).root]


async def create_response(request: Request) -> HttpResponse:
    """Answers as chat completions do. `instructions` and messages of the role `system` may hold directives. With
    `stream`, server-sent events."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    body = await read_body(request, services.max_request_bytes)
    wanted = await parse_off_loop(ResponsesRequest, body)
    del body  # large ones are in memory once more, as values
    request.state.log = {"model": wanted.model, "stream": bool(wanted.stream), "stages": stages.milliseconds}
    forgets = is_on(request, ZDR_HEADER)
    tenant = request.state.caller.tenant
    converted, answering, keeping = await _prepare(services, wanted, tenant, forgets=forgets)
    request.state.field_names = converted.field_names
    call = call_of(request, converted.chat)
    events = services.pipeline.run(call)
    limit_s = services.settings.request_timeout_s
    if wanted.stream:
        encoder = _StreamEncoder(answering, keeping, is_on(request, PROGRESS_HEADER))
        return EventStream(events, encoder.encode, stages, answering.fail, limit_s)
    work = _answer_whole(events, answering, keeping)
    content = await until_disconnect(request.receive, within(limit_s, work, stages.seconds))
    stages.done("render")
    return HttpResponse(content, headers={"server-timing": stages.header}, media_type="application/json")


router.add_api_route(
    "",
    create_response,
    methods=["POST"],
    route_class_override=DirectRoute,
    response_model=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    openapi_extra=json_body(ResponsesRequest, _EXAMPLES),
)


@router.get("/{response_id}", response_model=Response)
async def get_response(request: Request, response_id: str, stream: bool = False) -> HttpResponse:
    """A stored response, as it was answered."""
    if stream:
        raise BadRequest("Field 'stream': a stored response cannot be streamed", param="stream")
    stored = await _find_response(request, response_id)
    return HttpResponse(stored.response, media_type="application/json")


@router.delete("/{response_id}")
async def delete_response(request: Request, response_id: str) -> ResponseDeleted:
    """Deletes a stored response, after which no conversation can continue it."""
    services: Services = request.app.state.services
    if not await services.responses.delete(request.state.caller.tenant, response_id):
        raise _not_found(response_id)
    return ResponseDeleted(id=response_id)


@router.get("/{response_id}/input_items", response_model=ItemList)
async def list_input_items(
    request: Request,
    response_id: str,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 20,
    order: Literal["asc", "desc"] = "desc",
    after: str | None = None,
) -> HttpResponse:
    """A page of the request's items after the item `after`, the last item first unless `order` is `asc`."""
    stored = await _find_response(request, response_id)
    content = await asyncio.to_thread(_encode_page, stored, limit, order, after)
    return HttpResponse(content, media_type="application/json")


def _encode_page(stored: StoredResponse, limit: int, order: str, after: str | None) -> str:
    """Return the JSON of a page of stored items."""
    items = pydantic_core.from_json(stored.input)
    if order == "desc":
        items.reverse()
    ids = [item["id"] for item in items]
    if after is not None and after not in ids:
        raise BadRequest(f"Field 'after': there is no item '{after[:80]}'", param="after")
    begin = 0 if after is None else ids.index(after) + 1
    page = items[begin : begin + limit]
    first, last = (page[0]["id"], page[-1]["id"]) if page else ("", "")
    has_more = len(items) > begin + limit
    return ItemList(data=page, first_id=first, last_id=last, has_more=has_more).model_dump_json()


async def _prepare(
    services: Services, wanted: ResponsesRequest, tenant: str, *, forgets: bool
) -> tuple[ConvertedRequest, ResponseBuilder, Keep | None]:
    """Return the converted request, the builder of its response, and the function that stores the response; None if it
    will not be stored."""
    check_model(wanted.model, param="model")
    reading = _ConversationReader(services, tenant)
    history = await reading.history(wanted.previous_response_id)
    if any(isinstance(item, ReferenceItem) for item in wanted.items):
        wanted = await reading.with_references(wanted)
    keeps = wanted.store is not False and not forgets and services.responses.max_age_s > 0

    def convert() -> tuple[ConvertedRequest, Response]:
        converted = convert_request(wanted, history, services.tasks.has)
        response_id = f"resp_{uuid.uuid4().hex}"
        return converted, begin_response(wanted, response_id, is_stored=keeps)

    converted, response = await asyncio.to_thread(convert)
    answering = ResponseBuilder(
        response,
        converted,
        wanted.offered_tools,
        shows_reasoning=wanted.shows_reasoning,
        streams=bool(wanted.stream),
        warnings=dict.fromkeys([*converted.warnings, *find_misspelt(wanted, {"": CHAT_FIELDS})]),
    )
    return converted, answering, partial(_keep, services, tenant, wanted) if keeps else None


@dataclass(frozen=True, slots=True)
class _StreamEncoder:
    """Encodes the events of an answer as those of a response."""

    answering: ResponseBuilder
    keeping: Keep | None
    shows_progress: bool

    async def encode(self, event: Event) -> bytes:
        match event:
            case Progress(stage, done, total):
                return encode_progress(stage, done, total) if self.shows_progress else b""
            case Finish():
                encoded, content = await asyncio.to_thread(_finish_and_encode, self.answering, event)
                return encoded + self.answering.end(await _keep_and_encode(self.answering, content, self.keeping))
        return self.answering.encode(event)


async def _answer_whole(events: AsyncGenerator[Event, None], answering: ResponseBuilder, keeping: Keep | None) -> bytes:
    """Return the whole response."""
    finish: Finish | None = None
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finish):
                finish = event
            else:
                answering.encode(event)
    assert finish is not None
    _, content = await asyncio.to_thread(_finish_and_encode, answering, finish)
    return await _keep_and_encode(answering, content, keeping)


def _finish_and_encode(answering: ResponseBuilder, finish: Finish) -> tuple[bytes, bytes]:
    """Return the events that end all items, and the JSON of the finished response."""
    return answering.finish(finish), answering.response_json()


async def _keep_and_encode(answering: ResponseBuilder, content: bytes, keeping: Keep | None) -> bytes:
    """Store the finished response, whose JSON is `content`, if it is to be kept. Return its JSON, which names a
    failure to do so."""
    if keeping and (reason := await keeping(answering.response, content)):
        answering.response.store = False
        answering.response.warnings = [*answering.warnings, reason]
        content = await asyncio.to_thread(answering.response_json)
    return content


@dataclass
class _ConversationReader:
    """Reads the stored responses that a request refers to, with limits on their number and size."""

    services: Services
    tenant: str
    _size: int = 0
    _count: int = 0
    _turns: dict[str, tuple[list[InputItem], str | None]] = field(default_factory=dict)
    _items: dict[str, InputItem] = field(default_factory=dict)
    """Items by their ids.

    A reference to an item removes the item from here, so that a request cannot repeat one item a thousand times.
    """

    async def turn(self, response_id: str) -> tuple[list[InputItem], str | None] | None:
        """Return the items of a stored response and its request, and the id of the previous response.

        Return None if the response is not stored. Raises PayloadTooLarge and BadRequest.
        """
        if response_id in self._turns:
            return self._turns[response_id]
        stored = await self.services.responses.get(self.tenant, response_id)
        if stored is None:
            return None
        self._size += stored.size
        if self._size > self.services.max_request_bytes:
            raise PayloadTooLarge("The conversation is longer than a request may be.")
        if len(self._turns) == MAX_TURNS:
            message = f"Field 'previous_response_id': the conversation has more than {MAX_TURNS} turns"
            raise BadRequest(message, param="previous_response_id")
        items = await asyncio.to_thread(_read_items, stored)
        self._turns[response_id] = turn = items, stored.previous
        self._count += len(turn[0])
        if self._count > MAX_ITEMS:
            raise PayloadTooLarge(f"The conversation has more than {MAX_ITEMS} items.")
        self._items |= {item.id: item for item in turn[0] if item.id is not None}
        return turn

    async def history(self, response_id: str | None) -> list[list[InputItem]]:
        """Return the items of each turn, in order, of the conversation that ends with `response_id`.

        Raises BadRequest if a response is not stored.
        """
        turns: list[list[InputItem]] = []
        while response_id is not None:
            turn = await self.turn(response_id)
            if turn is None:
                raise BadRequest(
                    f"Previous response with id '{response_id[:80]}' not found.",
                    code="previous_response_not_found",
                    param="previous_response_id",
                )
            items, response_id = turn
            turns.append(items)
        turns.reverse()
        return turns

    async def with_references(self, wanted: ResponsesRequest) -> ResponsesRequest:
        """Return the request with references replaced by their items. Raises BadRequest."""
        found = [
            await self._find_referenced(item.id, f"input[{index}].id") if isinstance(item, ReferenceItem) else item
            for index, item in enumerate(wanted.items)
        ]
        return wanted.model_copy(update={"input": found})

    async def _find_referenced(self, item_id: str, param: str) -> InputItem:
        if match := _ITEM_ID.fullmatch(item_id):
            await self.turn(f"resp_{match[1]}")
        item = self._items.pop(item_id, None)
        if item is None:
            message = f"Field '{param}': no item '{item_id[:80]}' is kept here, or 'input' has it already"
            raise BadRequest(message, code="item_not_found", param=param)
        return item


async def _find_response(request: Request, response_id: str) -> StoredResponse:
    """Return the caller's stored response. Raises NotFound, also for a response of another caller."""
    services: Services = request.app.state.services
    stored = await services.responses.get(request.state.caller.tenant, response_id)
    if stored is None:
        raise _not_found(response_id)
    return stored


def _not_found(response_id: str) -> NotFound:
    return NotFound(f"Response with id '{response_id[:80]}' not found.", code="response_not_found")
