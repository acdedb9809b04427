"""One request of a client, as the pipeline gets it."""

from dataclasses import dataclass, field

from app.telemetry import Stages
from app.wire.request import ChatRequest


@dataclass(frozen=True, slots=True)
class Call:
    request: ChatRequest
    skip_planning: bool = False
    """`x-interfaze-bypass-moa`: straight to the LLM."""
    stages: Stages = field(default_factory=Stages)
