"""One request of a client, as the pipeline gets it."""

from dataclasses import dataclass, field

from app.access.keys import Caller
from app.chat.event_driver import TimeLimit
from app.telemetry import Stages
from app.wire.request import ChatRequest


@dataclass(frozen=True, slots=True)
class Call:
    request: ChatRequest
    caller: Caller
    skip_planning: bool = False
    """`x-interfaze-bypass-moa`: straight to the LLM."""
    fresh: bool = False
    """`x-interfaze-bypass-cache`, `x-interfaze-zdr`: use nothing of earlier requests, leave nothing for later ones."""
    stages: Stages = field(default_factory=Stages)
    limit: TimeLimit = field(default_factory=TimeLimit)
