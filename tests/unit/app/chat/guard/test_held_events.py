"""Events that wait for a verdict: how often they are searched."""

from collections.abc import Sequence

from app.chat.guard.held_events import HeldEvents
from app.chat.guard.redaction import Redaction
from app.events import Event, TextChunk, ToolCallChunk
from models.workers.pool import Workers


def searches(held: HeldEvents, texts: Sequence[str]) -> int:
    """Add the texts, and return how often all held events were searched in vain."""
    count = 0
    for text in texts:
        held.add(TextChunk(text))
        if held.is_due:
            count += held.take_sentences() is None
    return count


def test_white_space_is_not_searched_for_each_piece() -> None:
    held = HeldEvents(in_json=False)
    assert searches(held, ["Hello. ", *["\n"] * 5000]) == 0
    held.add(TextChunk("Bye. "))
    assert held.is_due
    part = held.take_sentences()
    assert part is not None
    assert len(part.events) == 5001


def test_what_cannot_be_shown_yet_is_searched_again_when_it_has_grown() -> None:
    class Never(Redaction):
        def whole_size(self, events: Sequence[Event], size: int) -> int:
            return 0

    held = HeldEvents(in_json=False, redaction=Never(Workers()))
    assert 10 < searches(held, ["1.\n"] * 5000) < 100


def test_the_arguments_of_calls_that_come_by_turns_are_judged_whole() -> None:
    held = HeldEvents(in_json=False)
    for event in (ToolCallChunk(0, "a", "x", "f"), ToolCallChunk(1, "c", "y", "g"), ToolCallChunk(0, "b")):
        held.add(event)
    assert held.take_all().judged == [("tool_calls", "f ab"), ("tool_calls", "g c")]
