"""Events that wait for a verdict: how often they are searched."""

from app.chat.guard.held_events import HeldEvents
from app.events import ToolCallChunk


def test_the_arguments_of_calls_that_come_by_turns_are_judged_whole() -> None:
    held = HeldEvents(in_json=False)
    for event in (ToolCallChunk(0, "a", "x", "f"), ToolCallChunk(1, "c", "y", "g"), ToolCallChunk(0, "b")):
        held.add(event)
    assert held.take_all().judged == [("tool_calls", "f ab"), ("tool_calls", "g c")]
