"""/v1/batches: files of requests."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.assembly.services import Services
from app.batches.runner import WINDOW_S, BatchRunner
from app.batches.store import Batch, Status, TooManyBatches
from app.errors import BadRequest, NotFound, RateLimited
from app.http.request import ZDR_HEADER, is_on, read_body
from app.routes.openapi import json_body
from app.wire.files import LONGEST_KEEP_S, SHORTEST_KEEP_S
from app.wire.parse import but_not, parse_off_loop
from app.wire.request import Metadata, RequestModel

ENDPOINTS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations")
WINDOW = "24h"
MAX_LISTED = 100
MAX_BATCHES = 100
"""A key has at most this many unfinished batches."""
_WAIT_S = 61
"""Delay in `retry-after`, in seconds. It is longer than OpenAI's clients wait by themselves, so the caller sees the
error."""
EXAMPLE_FILE = "file-0123456789abcdef0123456789abcdef"
_MOMENTS: tuple[Status, ...] = (
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)


class OutputExpiry(RequestModel):
    anchor: Literal["created_at"]
    """The time at which the file is made."""
    seconds: Annotated[int, Field(ge=SHORTEST_KEEP_S, le=LONGEST_KEEP_S)]


class BatchRequest(RequestModel):
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: Metadata | None = None
    output_expires_after: OutputExpiry | None = None


class BatchError(BaseModel):
    code: str
    line: int | None
    """Number of the line in the input file, from 1."""
    message: str
    param: str | None


class BatchErrors(BaseModel):
    object: Literal["list"] = "list"
    data: list[BatchError]


class RequestCounts(BaseModel):
    total: int
    completed: int
    failed: int


class InputTokensDetails(BaseModel):
    cached_tokens: int = 0


class OutputTokensDetails(BaseModel):
    reasoning_tokens: int


class BatchUsage(BaseModel):
    input_tokens: int
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class BatchObject(BaseModel):
    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    errors: BatchErrors | None
    """Reasons of a failure, or a warning (`waiting_for_llm`, `storage_full`) that says why the batch waits."""
    input_file_id: str
    completion_window: str = WINDOW
    status: Status
    output_file_id: str | None
    """The file of the answers, once the batch has ended."""
    error_file_id: str | None
    """The file of the lines that failed, once the batch has ended."""
    created_at: int
    """Seconds since 1970, as in all fields that hold a time."""
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCounts
    usage: BatchUsage
    metadata: dict[str, str] | None


class BatchList(BaseModel):
    object: Literal["list"] = "list"
    data: list[BatchObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


_EXAMPLES = {
    "Run the lines of a file": {
        "input_file_id": EXAMPLE_FILE,
        "endpoint": "/v1/chat/completions",
        "completion_window": WINDOW,
    }
}

router = APIRouter(prefix="/v1/batches", tags=["batches"])


@router.post("", openapi_extra=json_body(BatchRequest, _EXAMPLES))
async def create_batch(request: Request) -> BatchObject:
    """Each line of the file (uploaded with `purpose=batch`) is a request: `{"custom_id", "method": "POST", "url",
    "body"}`. All lines are checked first; then each is answered, or has an error of its own."""
    services: Services = request.app.state.services
    runner: BatchRunner = request.app.state.batches
    if is_on(request, ZDR_HEADER):
        raise BadRequest(
            "A batch is stored, but 'x-interfaze-zdr' asks for nothing to be stored: send the requests one by one."
        )
    wanted = await parse_off_loop(BatchRequest, await read_body(request, services.max_request_bytes))
    if wanted.endpoint not in ENDPOINTS:
        message = f"Field 'endpoint': Input should be one of: {', '.join(ENDPOINTS)}{but_not(wanted.endpoint)}"
        raise BadRequest(message, param="endpoint")
    if wanted.completion_window != WINDOW:
        message = f"Field 'completion_window': Input should be '{WINDOW}'{but_not(wanted.completion_window)}"
        raise BadRequest(message, param="completion_window")
    key = request.state.caller.key
    file = await services.files.find(key.tenant, wanted.input_file_id)
    if file is None:
        shown = wanted.input_file_id[:80]
        raise BadRequest(f"There is no file '{shown}'.", code="file_not_found", param="input_file_id")
    if file.purpose != "batch":
        message = f"Field 'input_file_id': the file's purpose is '{file.purpose}'; upload it with purpose=batch"
        raise BadRequest(message, param="input_file_id")
    now = runner.clock()
    batch = Batch(
        id=f"batch_{secrets.token_hex(16)}",
        tenant=key.tenant,
        endpoint=wanted.endpoint,
        input_file=file.id,
        created=now,
        expires=now + WINDOW_S,
        metadata=wanted.metadata,
        key_digest=key.digest,
        key_name=key.name,
        output_keep_s=wanted.output_expires_after.seconds if wanted.output_expires_after else None,
    )
    try:
        await runner.store.add(batch, MAX_BATCHES)
    except TooManyBatches:
        raise RateLimited(
            f"This key has {MAX_BATCHES} unfinished batches, which is the limit. Wait for one, or cancel one.",
            retry_after=_WAIT_S,
        ) from None
    runner.wake()
    return _to_object(batch)


@router.get("", response_model=BatchList)
async def list_batches(
    request: Request, limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = 20, after: str | None = None
) -> Response:
    """A page of the key's batches after the batch `after`, the newest first."""
    runner: BatchRunner = request.app.state.batches
    last = None
    if after is not None:
        try:
            last = await _find_batch(request, after)
        except NotFound:
            raise BadRequest(f"Field 'after': there is no batch '{after[:80]}'", param="after") from None
    found = await runner.store.page(request.state.caller.tenant, last, limit + 1)
    return Response(await asyncio.to_thread(_encode_page, found, limit), media_type="application/json")


def _encode_page(found: Sequence[Batch], limit: int) -> str:
    """Return the JSON of the first `limit` of some batches, each of which may have a hundred errors; a further batch
    shows that there are more."""
    data = [_to_object(batch) for batch in found[:limit]]
    first, last = (found[0].id, found[:limit][-1].id) if found else (None, None)
    return BatchList(data=data, first_id=first, last_id=last, has_more=len(found) > limit).model_dump_json()


@router.get("/{batch_id}")
async def get_batch(request: Request, batch_id: str) -> BatchObject:
    """The state of a batch, with the files of its answers and errors."""
    return _to_object(await _find_batch(request, batch_id))


@router.post("/{batch_id}/cancel")
async def cancel_batch(request: Request, batch_id: str) -> BatchObject:
    """Cancels a batch. Its running lines end, and finished lines stay in its files."""
    runner: BatchRunner = request.app.state.batches
    await _find_batch(request, batch_id)
    batch = await runner.store.cancel(request.state.caller.tenant, batch_id, runner.clock())
    if batch is None:
        raise _not_found(batch_id)
    if batch.status not in ("cancelling", "cancelled"):
        raise BadRequest(f"The batch '{batch_id}' is {batch.status}: there is nothing to cancel.", code="batch_is_over")
    runner.wake()
    return _to_object(batch)


async def _find_batch(request: Request, batch_id: str) -> Batch:
    """Return the caller's batch with this id. Raises NotFound, also for a batch of another caller."""
    runner: BatchRunner = request.app.state.batches
    batch = await runner.store.find(request.state.caller.tenant, batch_id)
    if batch is None:
        raise _not_found(batch_id)
    return batch


def _not_found(batch_id: str) -> NotFound:
    return NotFound(f"There is no batch '{batch_id[:80]}'.", code="batch_not_found")


def _to_object(batch: Batch) -> BatchObject:
    moments = {f"{status}_at": batch.moments.get(status) for status in _MOMENTS}
    errors = BatchErrors(data=[BatchError(**one) for one in batch.errors]) if batch.errors else None
    return BatchObject(
        id=batch.id,
        endpoint=batch.endpoint,
        errors=errors,
        input_file_id=batch.input_file,
        status=batch.status,
        output_file_id=batch.output_file,
        error_file_id=batch.error_file,
        created_at=int(batch.created),
        expires_at=int(batch.expires),
        request_counts=RequestCounts(total=batch.total, completed=batch.completed, failed=batch.failed),
        usage=BatchUsage(
            input_tokens=batch.prompt_tokens,
            output_tokens=batch.answer_tokens,
            output_tokens_details=OutputTokensDetails(reasoning_tokens=batch.reasoning_tokens),
            total_tokens=batch.prompt_tokens + batch.answer_tokens,
        ),
        metadata=batch.metadata,
        **moments,
    )
