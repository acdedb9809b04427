"""/v1/responses: chat in the form of OpenAI's newer API, with stored responses."""

import re
import uuid
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import pydantic_core
import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import Response as HttpResponse

from app.access.admission import Admission
from app.batches.lines import LineResponse
from app.chat.call import ChatCall
from app.chat.render import FIRST_PING_S, PING_S, usage_of
from app.chat.request_warnings import find_misspelt
from app.errors import BadRequest, NotFound, PayloadTooLarge, Unavailable
from app.events import Finish, Progress, TextChunk
from app.feed import Feed, TimeLimit
from app.http.body import read_body
from app.http.disconnect import until_disconnect
from app.http.event_stream import EventStreamResponse
from app.http.headers import PROGRESS_HEADER, ZDR_HEADER, is_on
from app.http.large_response import join_page, json_response
from app.openapi import DirectRoute, json_body
from app.routes.chat import BOOKING, call_of
from app.routes.status import check_model
from app.services import Services
from app.state.entries import StoreDown
from app.state.responses import COPIES, LARGEST_RESPONSE, StoredResponse
from app.telemetry import Stages
from app.wire import sse
from app.wire.json_pieces import LongText, is_long, joined_in_slices, nested_pieces
from app.wire.parse import (
    LARGE_BYTES,
    MANY_VALUES,
    MAX_SHORT_BYTES,
    MAX_VALUES,
    VALUE_BYTES,
    Parsed,
    count_values,
    is_large,
    parse_hollow,
    parse_off_loop,
)
from app.wire.request import MAX_MESSAGES
from app.wire.response import ResponseModel
from app.wire.response_items import Item, ReferenceItem, StoredItems, kept_items
from app.wire.responses import PASSED_ON, ConvertedRequest, ResponsesRequest, convert_request
from app.wire.responses_answer import Item as OutputItem
from app.wire.responses_answer import OutputMessage, Response, ResponseBuilder, begin_response
from models.base import RETRY_S, ModelError
from models.fair_executor import Slices, all_of, in_slices
from models.loop_turns import LoopTurns
from tasks.inputs.limits import megabytes

MAX_TURNS = 1000
"""A conversation has at most this many responses."""
TURN_BYTES = 80 * 1024
"""A stored turn takes as much of its key's speed (`LoopTurns.wait_for_bytes`) as its own bytes and this many bytes of a
body, 4 ms. A key with rivals reads some twelve short ones at a time, and then 250 a second."""
MAX_ITEMS = MAX_MESSAGES
"""The stored part of a conversation has at most this many items."""
MAX_STORED_VALUES = 2 * MAX_VALUES
"""The stored part of a conversation has at most this many values. It has more than MAX_VALUES because the stored form
of an item has more values than the one that is sent: a type, an id and a state."""
MAX_LISTED = 100
_ITEM_ID = re.compile(r"[a-z]+_([0-9a-f]{32})i?[0-9a-f]{4}")
"""Pattern of the ids of items. An item's id contains the id of its response, without `resp_`."""

T = TypeVar("T")

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
_SHORT_BYTES = 16 << 10
"""If a request's body and its response each have at most this many bytes, they are packed on the event loop. So is the
request converted to messages if, in addition, the conversation before it is not large."""
_FEW_BYTES = 4000
"""An event with at most this many bytes of text and log probabilities is encoded on the event loop."""
_LOGPROB_BYTES = 64
"""A log probability with its token takes about this many bytes as JSON."""


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


class _ConversationFull(Exception):
    """Raised with the reason if no request could continue a conversation."""


@dataclass(frozen=True, slots=True)
class _ConversationLength:
    """Length of a conversation, or of its beginning."""

    turns: int = 0
    items: int = 0
    size: int = 0
    """Number of bytes of the stored items."""
    values: int = 0
    """Number of values in the JSON of the stored items."""

    @property
    def is_large(self) -> bool:
        """True if the items take longer to convert than starting a thread."""
        return self.size >= LARGE_BYTES or self.values >= MANY_VALUES

    def check(self, max_bytes: int) -> None:
        """Raise _ConversationFull if a request that continued the conversation would be refused."""
        if self.turns > MAX_TURNS:
            raise _ConversationFull(f"more than {MAX_TURNS} turns")
        if self.items > MAX_ITEMS:
            raise _ConversationFull(f"more than {MAX_ITEMS} items")
        if self.values > MAX_STORED_VALUES:
            raise _ConversationFull(f"more than {MAX_STORED_VALUES} values")
        if self.size > max_bytes:
            raise _ConversationFull(f"more than {megabytes(max_bytes)} (OPENFAZE_MAX_REQUEST_MB)")


@dataclass(frozen=True, slots=True)
class _ResponseKeeper:
    """Stores one response and its input."""

    services: Services
    tenant: str
    request: ResponsesRequest
    is_short: bool
    """True if the request's items are known to have at most _SHORT_BYTES bytes."""
    earlier: _ConversationLength
    """Length of the conversation before the request."""

    async def keep(self, answer: Response, content: bytes) -> str | None:
        """Store a response. Return None, or a warning with the reason why the response is not stored."""
        services, response_id = self.services, answer.id

        def make_stored() -> Slices[StoredResponse]:
            stored = yield from _to_stored(self.request, response_id.removeprefix("resp_"), answer, content)
            earlier, values = self.earlier, self.earlier.values
            for part in stored.lists():
                values += count_values(part)
                yield
            items = earlier.items + len(self.request.items) + len(answer.output)
            length = _ConversationLength(earlier.turns + 1, items, earlier.size + stored.size, values)
            length.check(services.max_request_bytes)
            return stored

        is_short = self.is_short and len(content) <= _SHORT_BYTES
        try:
            await services.responses.put(self.tenant, response_id, make_stored, is_short=is_short)
        except ValueError:
            limit = megabytes(LARGEST_RESPONSE)
            return f"The response is not kept: with its input it is larger than {limit}."
        except _ConversationFull as error:
            return f"The response is not kept: its conversation has {error}, so no request could continue it."
        except (StoreDown, ModelError) as error:
            log.warning("response_not_kept", reason=str(error))
            return "The response is not kept: the server's store of responses is not working at the moment."
        return None


def _to_stored(
    request: ResponsesRequest, response_number: str, answer: Response, content: bytes
) -> Slices[StoredResponse]:
    def encode(item: dict[str, Any]) -> tuple[str, bytes]:
        return item["id"], b"".join(nested_pieces(item))

    items = yield from in_slices(encode, kept_items(request.items, response_number))
    output = [_without_logprobs(item) for item in answer.output]
    return StoredResponse.of_items(request.previous_response_id, items, pydantic_core.to_json(output), content)


def _without_logprobs(item: OutputItem) -> OutputItem:
    """Return an item of the output as the next request reads it. The log probabilities of a text, which may be hundreds
    of values for each token, remain in the response that can be fetched."""
    if not isinstance(item, OutputMessage):
        return item
    return item.model_copy(update={"content": [part.model_copy(update={"logprobs": []}) for part in item.content]})


@dataclass(frozen=True, slots=True)
class _ReadItems:
    """Items of a stored response and its request."""

    lists: Sequence[Parsed[StoredItems]]
    """The items in lists whose long strings are to be restored."""
    values: int
    """Number of values in the JSON of the items."""
    size: int
    """Number of bytes that the items take once they are restored."""

    def restore(self) -> list[Item]:
        return [item for parsed in self.lists for item in parsed.restore().root]


def _read_items(stored: StoredResponse, max_values: int) -> Slices[_ReadItems]:
    """Return the items of a stored response and its request. Other threads may run after each list. Raises
    PayloadTooLarge for more than `max_values` values."""
    lists: list[Parsed[StoredItems]] = []
    values = size = 0
    for part in stored.lists():
        count = count_values(part)
        values += count
        if values > max_values:
            raise PayloadTooLarge(f"The conversation has more than {MAX_STORED_VALUES} values.")
        parsed = parse_hollow(StoredItems, part, max_values=MAX_STORED_VALUES, max_short=2 * MAX_SHORT_BYTES)
        lists.append(parsed)
        size += max(parsed.size, VALUE_BYTES * count)
        yield
    return _ReadItems(lists, values, size)


async def create_response(request: Request) -> HttpResponse:
    """Answers as chat completions do. `instructions` and messages of the role `system` may hold directives. With
    `stream`, server-sent events."""
    services: Services = request.app.state.services
    stages: Stages = request.state.stages
    body = await read_body(request, services.max_request_bytes)
    wanted = await parse_off_loop(ResponsesRequest, body, services.wire, services.memory.hold)
    request.state.log = {"model": wanted.model, "stream": bool(wanted.stream), "stages": stages.milliseconds}
    forgets = is_on(request, ZDR_HEADER)
    tenant, is_short = request.state.caller.tenant, len(body) <= _SHORT_BYTES
    converted, answering, keeping = await _prepare(services, wanted, tenant, forgets=forgets, is_short=is_short)
    call = call_of(request, converted.chat)
    if wanted.stream:
        show_progress = is_on(request, PROGRESS_HEADER)
        pieces_to_send = _stream(services, call, answering, keeping, show_progress=show_progress)
        feed = Feed(pieces_to_send, services.settings.request_timeout_s, stages.seconds)
        pieces = feed.encoded(lambda piece: (piece,), sse.PING, FIRST_PING_S, PING_S)
        return EventStreamResponse(feed, pieces, stages, answering.fail)
    work = _answer_whole(services, call, answering, keeping, stages.seconds)
    content = await until_disconnect(request.receive, work)
    stages.done("render")
    return await json_response(content, {"server-timing": stages.header})


router.add_api_route(
    "",
    create_response,
    methods=["POST"],
    route_class_override=DirectRoute,
    response_model=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    openapi_extra=json_body(ResponsesRequest, _EXAMPLES),
)


async def answer_line(
    services: Services, wanted: ResponsesRequest, admission: Admission, _request_id: str
) -> LineResponse:
    """Answer a line of a batch."""
    if wanted.stream:
        raise BadRequest("Field 'stream': a line of a batch is not streamed", param="stream")
    converted, answering, keeping = await _prepare(services, wanted, admission.caller.tenant)
    limit = TimeLimit.of(services.settings.request_timeout_s)
    call = ChatCall(converted.chat, admission.caller, limit=limit, admission=admission)
    content = await _answer_whole(services, call, answering, keeping)
    assert answering.usage is not None
    return LineResponse([content], answering.usage)


@router.get("/{response_id}", response_model=Response)
async def get_response(request: Request, response_id: str, stream: bool = False) -> HttpResponse:
    """A stored response, as it was answered."""
    if stream:
        raise BadRequest("Field 'stream': a stored response cannot be streamed", param="stream")
    services: Services = request.app.state.services
    stored = await _find_response(request, response_id)
    content = await services.wire.run(bytes, stored.response)
    return await json_response(content, {})


@router.delete("/{response_id}")
async def delete_response(request: Request, response_id: str) -> ResponseDeleted:
    """Deletes a stored response, after which no conversation can continue it."""
    services: Services = request.app.state.services
    if not await _call_store(services.responses.delete(request.state.caller.tenant, response_id)):
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
    services: Services = request.app.state.services
    stored = await _find_response(request, response_id)
    content = await services.wire.run(_encode_page, stored, limit, order, after)
    return await json_response(content, {})


def _encode_page(stored: StoredResponse, limit: int, order: str, after: str | None) -> bytes:
    """Return the JSON of a page of stored items, which are copied as they are stored."""
    items = stored.items() if order == "asc" else stored.items()[::-1]
    ids = [item_id for item_id, _ in items]
    if after is not None and after not in ids:
        raise BadRequest(f"Field 'after': there is no item '{after[:80]}'", param="after")
    begin = 0 if after is None else ids.index(after) + 1
    page = items[begin : begin + limit]
    first, last = (page[0][0], page[-1][0]) if page else ("", "")
    whole = ItemList(data=[], first_id=first, last_id=last, has_more=len(items) > begin + limit)
    return join_page(whole, [text for _, text in page])


async def _prepare(
    services: Services, wanted: ResponsesRequest, tenant: str, *, forgets: bool = False, is_short: bool = False
) -> tuple[ConvertedRequest, ResponseBuilder, _ResponseKeeper | None]:
    """Return the converted request, the builder of its response, and the response's keeper. The keeper is None if the
    response will not be stored."""
    check_model(wanted.model, param="model")
    reading = _ConversationReader(services, tenant)
    history = await reading.history(wanted.previous_response_id)
    earlier = reading.length
    if any(isinstance(item, ReferenceItem) for item in wanted.items):
        wanted, is_short = await reading.with_references(wanted), False
    keeps = wanted.store is not False and not forgets and services.responses.max_age_s > 0
    instructions, long = wanted.instructions, None
    if instructions is not None and is_long(instructions):
        long = await services.wire.run(LongText.of, instructions)
        await services.memory.hold(len(long.json))
        instructions = long.placeholder

    def convert() -> tuple[ConvertedRequest, Response]:
        converted = convert_request(wanted, history, services.tasks.has)
        response_id = f"resp_{uuid.uuid4().hex}"
        return converted, begin_response(wanted, response_id, is_stored=keeps, instructions=instructions)

    on_loop = is_short and not reading.length.is_large
    converted, response = convert() if on_loop else await services.wire.run(convert)
    answering = ResponseBuilder(
        response,
        converted,
        wanted.offered_tools,
        shows_reasoning=wanted.shows_reasoning,
        streams=bool(wanted.stream),
        instructions=long,
        warnings=dict.fromkeys([*converted.warnings, *find_misspelt(wanted, {"": PASSED_ON})]),
    )
    return converted, answering, _ResponseKeeper(services, tenant, wanted, is_short, earlier) if keeps else None


async def _stream(
    services: Services,
    call: ChatCall,
    answering: ResponseBuilder,
    keeping: _ResponseKeeper | None,
    *,
    show_progress: bool,
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a stream."""
    size = 0
    with _errors_in_client_terms(answering.converted):
        async with aclosing(services.pipeline.run(call)) as events:
            async for event in events:
                match event:
                    case Progress(stage, done, total):
                        if show_progress:
                            yield sse.encode_progress(stage, done, total)
                    case Finish():
                        pieces = await _finish(services, answering, event, size)
                        await services.memory.hold(sum(map(len, pieces)))
                        for piece in pieces:
                            yield piece
                        content = await _keep_and_encode(services, answering, keeping, event)
                        await services.memory.hold(len(content))
                        for piece in answering.end(content):
                            yield piece
                    case _:
                        more = _size_of(event) if isinstance(event, TextChunk) else 0
                        size += more
                        if more <= _FEW_BYTES:
                            pieces = answering.encode(event)
                        else:
                            pieces = await services.wire.run(answering.encode, event)
                        for piece in pieces:
                            yield piece


def _size_of(event: TextChunk) -> int:
    """Return about the number of bytes of a text and its log probabilities as JSON."""
    tokens = (event.logprobs or {}).get("content") or ()
    return len(event.text) + _LOGPROB_BYTES * sum(1 + len(token.get("top_logprobs") or ()) for token in tokens)


async def _finish(services: Services, answering: ResponseBuilder, event: Finish, size: int) -> list[bytes]:
    """Finish the response, whose text takes `size` bytes with its log probabilities, and return the encoded events."""
    return answering.finish(event) if size < LARGE_BYTES else await services.wire.run(answering.finish, event)


async def _answer_whole(
    services: Services,
    call: ChatCall,
    answering: ResponseBuilder,
    keeping: _ResponseKeeper | None,
    spent_s: float = 0.0,
) -> bytes:
    """Return the whole response to a request that arrived `spent_s` seconds ago."""
    finish: Finish | None = None
    feed = Feed(services.pipeline.run(call), services.settings.request_timeout_s, spent_s)
    with _errors_in_client_terms(answering.converted):
        async with feed.events() as events:
            async for event in events:
                if isinstance(event, Finish):
                    finish = event
                else:
                    answering.encode(event)
            assert finish is not None
            answering.finish(finish)
            return await _keep_and_encode(services, answering, keeping, finish)


@contextmanager
def _errors_in_client_terms(converted: ConvertedRequest) -> Iterator[None]:
    """Run the block. In errors that it raises, replace the names of the chat request's fields by the client's names."""
    try:
        yield
    except Exception as error:
        renamed = converted.rename_error(error)
        if renamed is error:
            raise
        raise renamed from error


async def _keep_and_encode(
    services: Services, answering: ResponseBuilder, keeping: _ResponseKeeper | None, finish: Finish
) -> bytes:
    """Store the finished response if it is to be kept, and return it as JSON."""
    answering.usage = usage_of(finish)
    content = await _encode(services, answering)
    if keeping and (reason := await keeping.keep(answering.response, content)):
        answering.response.store = False
        answering.response.warnings = [*answering.warnings, reason]
        content = await _encode(services, answering)
    return content


async def _encode(services: Services, answering: ResponseBuilder) -> bytes:
    if answering.is_short:
        return b"".join(answering.response_json())
    return await services.wire.run(joined_in_slices, answering.response_json())


@dataclass
class _ConversationReader:
    """Reads the stored responses that a request refers to, with limits on their number and size."""

    services: Services
    tenant: str
    _size: int = 0
    _count: int = 0
    _values: int = 0
    _turns: dict[str, tuple[list[Item], str | None]] = field(default_factory=dict)
    _items: dict[str, Item] = field(default_factory=dict)
    """Items by their ids.

    A reference to an item removes the item from here, so that a request cannot repeat one item a thousand times.
    """

    @property
    def length(self) -> _ConversationLength:
        """Length of all turns that have been read."""
        return _ConversationLength(len(self._turns), self._count, self._size, self._values)

    async def turn(self, response_id: str) -> tuple[list[Item], str | None] | None:
        """Return the items of a stored response and its request, and the id of the previous response.

        Return None if the response is not stored. Raises PayloadTooLarge and BadRequest.
        """
        if response_id in self._turns:
            return self._turns[response_id]
        stored = await _get(self.services, self.tenant, response_id)
        await LoopTurns.of_running_loop().wait_for_bytes(TURN_BYTES + (stored.size if stored else 0))
        if stored is None:
            return None
        self._size += stored.size
        if self._size > self.services.max_request_bytes:
            raise PayloadTooLarge("The conversation is longer than a request may be (OPENFAZE_MAX_REQUEST_MB).")
        if len(self._turns) == MAX_TURNS:
            message = f"Field 'previous_response_id': the conversation has more than {MAX_TURNS} turns"
            raise BadRequest(message, param="previous_response_id")
        wire, read = self.services.wire, partial(_read_items, stored, MAX_STORED_VALUES - self._values)
        # All turns that are parsed on the event loop have as many bytes and values together as a body that is.
        on_loop = self._size < LARGE_BYTES and not is_large(b"".join((stored.input, stored.output)), self._values)
        found = all_of(read()) if on_loop else await wire.run(read)
        # What the store holds for the unpacked response is enough for most texts, but not for all.
        await self.services.memory.hold(max(0, found.size - (COPIES - 1) * stored.size))
        items = found.restore() if on_loop else await wire.run(found.restore)
        self._values += found.values
        self._turns[response_id] = turn = items, stored.previous
        self._count += len(turn[0])
        if self._count > MAX_ITEMS:
            raise PayloadTooLarge(f"The conversation has more than {MAX_ITEMS} items.")
        self._items |= {item.id: item for item in turn[0] if item.id is not None}
        return turn

    async def history(self, response_id: str | None) -> list[list[Item]]:
        """Return the items of each turn, in order, of the conversation that ends with `response_id`.

        Raises BadRequest if a response is not stored.
        """
        turns: list[list[Item]] = []
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

    async def _find_referenced(self, item_id: str, param: str) -> Item:
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
    stored = await _get(services, request.state.caller.tenant, response_id)
    if stored is None:
        raise _not_found(response_id)
    return stored


def _not_found(response_id: str) -> NotFound:
    return NotFound(f"Response with id '{response_id[:80]}' not found.", code="response_not_found")


async def _get(services: Services, tenant: str, response_id: str) -> StoredResponse | None:
    return await _call_store(services.responses.get(tenant, response_id, services.memory.hold))


async def _call_store(look: Awaitable[T]) -> T:
    try:
        return await look
    except StoreDown as error:
        log.error("response_store_failed", reason=str(error))
        raise Unavailable(
            "The server's store of responses is not working: the server's log says why.",
            code="storage_unavailable",
            retry_after=RETRY_S,
        ) from error
