"""Material for the answer to one request, once its tasks have run."""

from dataclasses import dataclass

from app.chat.call import ChatCall
from app.chat.directives import Directives
from app.chat.filling import Filling
from app.chat.inputs import Turn
from app.chat.plan import Plan
from app.chat.plan_executor import without_empty_asides
from app.chat.schema.structured import Shape
from app.chat.specialists import Specialists
from app.wire.request import ChatRequest
from models.language.llm import Llm
from tasks.precontext import Entry


@dataclass(frozen=True, slots=True)
class Material:
    """Everything from which the answer is made: the request, the results of its tasks, and the required form."""

    call: ChatCall
    directives: Directives
    turn: Turn
    specialists: Specialists
    llm: Llm
    shape: Shape | None
    """Required form of the answer; None if any text will do."""
    plan: Plan
    results: tuple[Entry, ...] = ()
    """Results of the steps, one per step of the plan."""
    unread: tuple[Entry, ...] = ()
    """Errors of the text's links that could not be read. Their steps are not in `plan`."""
    has_document: bool = False
    """True if the messages contain a document, or end with results of the client's tools."""
    document: Entry | None = None
    """Document that the user's message contains as text, if the answer's fields may be copied from it."""
    filling: Filling | None = None
    """The fields that are copied, and the shape of the fields left to the LLM."""

    @property
    def request(self) -> ChatRequest:
        return self.call.request

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Results that are shown to the LLM and the client."""
        return (*without_empty_asides(self.plan, self.results), *self.unread)
