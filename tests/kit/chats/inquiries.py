"""Requests as they have been read, for tests of what happens then."""

from collections.abc import Sequence

from app.access.keys import Caller
from app.chat.call import ChatCall, Inquiry
from app.chat.directives import read_directives
from app.chat.inputs import latest_turn
from app.chat.redaction import Redaction
from app.wire.request import ChatRequest
from tasks.catalog import SPECIALISTS
from tasks.guardrails import Policy


def inquiry_of(
    request: ChatRequest,
    *,
    codes: Sequence[str] = (),
    task: str | None = None,
    redaction: Redaction | None = None,
    tenant: str | None = None,
) -> Inquiry:
    """Return a request with what is read of it. Without a `tenant`, nothing of it is kept."""
    call = ChatCall(request, Caller(tenant or "test"), fresh=tenant is None)
    specialist = SPECIALISTS[task] if task is not None else None
    return Inquiry(call, read_directives([]), latest_turn(request, 16), specialist, Policy(tuple(codes)), redaction)
