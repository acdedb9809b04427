"""A chat request on its way through the pipeline, with its caller, its measurements and its charges."""

from dataclasses import dataclass, field

from app.access.admission import Admission
from app.access.keys import Caller
from app.chat.feed import TimeLimit
from app.events import Event, Finish, ReasoningChunk, TextChunk, ToolCallChunk
from app.monitoring.metrics import Stages
from app.wire.request import ChatRequest


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A chat request with its caller and its measurements."""

    request: ChatRequest
    caller: Caller
    skip_planning: bool = False
    """True if the request goes straight to the LLM (`x-interfaze-bypass-moa`)."""
    fresh: bool = False
    """True if no cache is read or written (`x-interfaze-bypass-cache`, `x-interfaze-zdr`)."""
    stages: Stages = field(default_factory=Stages)
    limit: TimeLimit = field(default_factory=TimeLimit)
    admission: Admission = field(default_factory=Admission)
    """Admission of the request by the caller's key, with nothing reserved yet."""

    async def note(self, event: Event) -> Event:
        """Count `event` for metrics, charge the key at the end of the answer, and return `event`.

        The key is charged before the end of the answer is sent, so that a client that immediately sends another request
        finds its slot free. The LLM's text is counted by the code that receives it, because not all of it becomes an
        event.
        """
        match event:
            case TextChunk() | ReasoningChunk() | ToolCallChunk():
                self.stages.answers()
            case Finish():
                self.stages.answers()
                self.stages.input_tokens += event.prompt_tokens
                self.stages.output_tokens += event.completion_tokens
                self.stages.reasoning_tokens += event.reasoning_tokens or 0
                await self.admission.settle(event.prompt_tokens, event.completion_tokens, is_free=event.vcache)
        return event
