"""An LLM that says what a test tells it to say."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from models.language.llm import Abilities, Done, LlmCall, LlmError, LlmEvent, TextDelta, ToolCallDelta

STOP = Done("stop", prompt_tokens=10, completion_tokens=2)


class ScriptedLlm:
    """Says its answers in order; remembers what it was sent. Implements Llm."""

    name = "scripted"
    loaded = True

    def __init__(
        self,
        *answers: Sequence[LlmEvent] | str,
        is_capable: bool = True,
        abilities: Abilities | None = None,
        full: LlmError | None = None,
    ) -> None:
        """With `full`, the LLM has no room for a call."""
        self._answers = [[TextDelta(one), STOP] if isinstance(one, str) else one for one in answers]
        self._abilities = abilities or Abilities()
        self._full = full
        self.is_capable = is_capable
        self.calls: list[LlmCall] = []
        self.left = 0
        """Answers that were not heard to their end."""

    async def abilities(self) -> Abilities:
        return self._abilities

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        self.calls.append(replace(call, messages=list(call.messages)))
        try:
            for event in self._answers.pop(0):
                if call.on_written and not isinstance(event, Done):
                    call.on_written(event.arguments if isinstance(event, ToolCallDelta) else event.text)
                yield event
        except GeneratorExit:
            self.left += 1
            raise

    async def identity(self) -> object:
        return self.name

    def check_room(self) -> None:
        if self._full is not None:
            raise self._full

    async def load(self) -> None: ...

    async def close(self) -> None: ...
