"""A chat request with all that was read of it before it is answered. One object carries it from the guard and the cache
to the answer."""

from dataclasses import dataclass

from app.chat.call import ChatCall
from app.chat.directives import Directives
from app.chat.inputs import Turn
from app.chat.redaction import Redaction
from app.wire.request import ChatRequest
from tasks.base import Specialist
from tasks.guardrails import Policy


@dataclass(frozen=True, slots=True)
class Inquiry:
    call: ChatCall
    directives: Directives
    turn: Turn
    task: Specialist | None
    """Task whose result is the answer; None if an LLM answers, or this server itself."""
    policy: Policy
    redaction: Redaction | None = None
    """Redaction of personal data; None if nothing is redacted. The request and the turn are redacted already."""

    @property
    def request(self) -> ChatRequest:
        return self.call.request
