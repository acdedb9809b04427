"""/v1/files: files that a client uploads once, and names by id in requests."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.assembly.services import Services
from app.errors import BadRequest, NotFound, PayloadTooLarge
from app.files.index import FileLimits, StoredFile
from app.files.store import FileStore
from app.http.form import UploadForm
from app.http.request import ZDR_HEADER, is_on, refuse_compressed, within_time
from app.wire.files import LONGEST_KEEP_S, PURPOSES, SHORTEST_KEEP_S, FileDeleted, FileList, FileObject
from app.wire.parse import but_not
from tasks.inputs.limits import MB, megabytes

MAX_LISTED = 10_000
_FORM_BYTES = MB
"""The body of an upload may have this many bytes in addition to the file, for boundaries and fields."""
_EXPIRY = ("expires_after[anchor]", "expires_after[seconds]")
_SECONDS = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

router = APIRouter(prefix="/v1/files", tags=["files"])

_UPLOAD = {
    "type": "object",
    "required": ["file", "purpose"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "purpose": {"type": "string", "enum": list(PURPOSES)},
        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
        "expires_after[seconds]": {"type": "integer", "minimum": SHORTEST_KEEP_S, "maximum": LONGEST_KEEP_S},
    },
}


@router.post(
    "", openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}}
)
async def upload_file(request: Request) -> FileObject:
    """Uploads a file. An interrupted upload leaves nothing behind."""
    if is_on(request, ZDR_HEADER):
        raise BadRequest(
            "An upload is stored, but 'x-interfaze-zdr' asks for nothing to be stored: send the file in the request."
        )
    store = _store(request)
    refuse_compressed(request)
    announced = request.headers.get("content-length", "")
    if announced.isdigit():
        _check_size(int(announced), store.limits)
    await request.state.admission.reserve()
    form = UploadForm(request.headers.get("content-type", ""))
    async with store.writing(request.state.caller.tenant) as writing:
        received = 0
        async with within_time(request):
            async for piece in request.stream():
                received += len(piece)
                _check_size(received, store.limits)
                if data := form.feed(piece):
                    await writing.write(data)
        form.finish()
        fields = _fields(form)
        keep_s = _keep_s(fields, store.limits)
        published = await writing.publish(form.filename or "file", _purpose(fields), keep_s)
    await request.state.admission.settle()
    return _object(published)


@router.get("", response_model=FileList)
async def list_files(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED)] = MAX_LISTED,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = None,
) -> Response:
    """A page of the key's files after the file `after`, the newest first unless `order` says otherwise."""
    services: Services = request.app.state.services
    files = await services.files.page(
        request.state.caller.tenant, limit + 1, after=after, purpose=purpose, is_ascending=order == "asc"
    )
    if files is None:
        raise BadRequest(f"Field 'after': there is no file '{(after or '')[:80]}'", param="after")
    return Response(await asyncio.to_thread(_encode_page, files, limit), media_type="application/json")


def _encode_page(files: Sequence[StoredFile], limit: int) -> str:
    """Return the JSON of the first `limit` of some files; further ones show that there are more."""
    data = [_object(file) for file in files[:limit]]
    first, last = (data[0].id, data[-1].id) if data else (None, None)
    return FileList(data=data, first_id=first, last_id=last, has_more=len(files) > limit).model_dump_json()


@router.get("/{file_id}")
async def get_file(request: Request, file_id: str) -> FileObject:
    """The file's name, size, purpose and time of expiry."""
    return _object(await _find_file(request, file_id))


@router.get("/{file_id}/content", response_class=Response)
async def get_file_content(request: Request, file_id: str) -> Response:
    """The uploaded bytes, as a download that no browser shows or runs."""
    file = await _find_file(request, file_id)
    pieces = _store(request).pieces(file)
    try:
        first = await anext(pieces, b"")
    except FileNotFoundError:
        raise _not_found(file_id) from None
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        "content-length": str(file.size),
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
    }
    return _Download(_with_first(first, pieces), headers=headers, media_type="application/octet-stream")


class _Download(StreamingResponse):
    """Response that closes its file when the client hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)


async def _with_first(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


@router.delete("/{file_id}")
async def delete_file(request: Request, file_id: str) -> FileDeleted:
    """Deletes a file at once; later requests that name it are refused."""
    await _store(request).delete(await _find_file(request, file_id))
    return FileDeleted(id=file_id)


def _store(request: Request) -> FileStore:
    services: Services = request.app.state.services
    return services.files


async def _find_file(request: Request, file_id: str) -> StoredFile:
    """Return the caller's file with this id. Raises NotFound, also for a file of another caller."""
    file = await _store(request).find(request.state.caller.tenant, file_id)
    if file is None:
        raise _not_found(file_id)
    return file


def _not_found(file_id: str) -> NotFound:
    return NotFound(f"There is no file '{file_id}'.", code="file_not_found")


def _check_size(size: int, limits: FileLimits) -> None:
    if size > limits.file_bytes + _FORM_BYTES:
        raise PayloadTooLarge(
            f"The upload is {megabytes(size)} or more; "
            f"the limit is {megabytes(limits.file_bytes)} a file (OPENFAZE_MAX_FILE_MB).",
            code="file_too_large",
            param="file",
        )


def _fields(form: UploadForm) -> dict[str, str]:
    """Return the form's fields. Raises BadRequest for a wish that would be ignored otherwise."""
    if repeated := next((name for name in ("purpose", *_EXPIRY) if len(form.values.get(name, ())) > 1), None):
        raise BadRequest(f"Field '{repeated}': there is more than one.", param=repeated)
    expiry = (name for name in form.values if name.startswith("expires_after"))
    if unknown := next((name for name in expiry if name not in _EXPIRY), None):
        raise BadRequest(
            f"Field '{unknown[:40]}': there is no such field; send '{_EXPIRY[0]}' and '{_EXPIRY[1]}'.",
            param="expires_after",
        )
    return form.fields


def _purpose(fields: dict[str, str]) -> str:
    purpose = fields.get("purpose")
    if purpose is None:
        raise BadRequest("Field 'purpose': Field required", param="purpose")
    if purpose not in PURPOSES:
        names = ", ".join(PURPOSES)
        raise BadRequest(f"Field 'purpose': Input should be one of: {names}{but_not(purpose)}", param="purpose")
    return purpose


def _keep_s(fields: dict[str, str], limits: FileLimits) -> float | None:
    """Return the time for which the file is kept, in seconds, or None for no limit. The server's own limit applies in
    any case. Raises BadRequest."""
    longest = limits.ttl_s or None
    seconds = fields.get("expires_after[seconds]")
    if seconds is None:
        if "expires_after[anchor]" in fields:
            raise BadRequest("Field 'expires_after[seconds]': Field required", param="expires_after[seconds]")
        return longest
    if (anchor := fields.get("expires_after[anchor]", "created_at")) != "created_at":
        raise BadRequest(
            f"Field 'expires_after[anchor]': Input should be 'created_at'{but_not(anchor)}",
            param="expires_after[anchor]",
        )
    if not (_SECONDS.fullmatch(seconds) and SHORTEST_KEEP_S <= int(seconds) <= LONGEST_KEEP_S):
        raise BadRequest(
            f"Field 'expires_after[seconds]': Input should be {SHORTEST_KEEP_S} to {LONGEST_KEEP_S} seconds"
            f"{but_not(seconds)}",
            param="expires_after[seconds]",
        )
    return min(float(seconds), longest or float(seconds))


def _object(file: StoredFile) -> FileObject:
    return FileObject(
        id=file.id,
        bytes=file.size,
        created_at=int(file.created),
        expires_at=file.expires,
        filename=file.filename,
        purpose=file.purpose,
    )
