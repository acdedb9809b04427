"""A call that is written as JSON, read while it is written."""

import pytest

from models.language.forced_call import CallReader
from models.language.llm import Done, LlmBroke, LlmEvent, TextDelta, ToolCallDelta

STOP = Done("stop")


def read(*texts: str, end: Done = STOP) -> list[LlmEvent]:
    reader = CallReader()
    return [piece for event in (*map(TextDelta, texts), end) for piece in reader.read(event)]


def call_in(events: list[LlmEvent]) -> tuple[str | None, str]:
    pieces = [event for event in events if isinstance(event, ToolCallDelta)]
    return pieces[0].name, "".join(piece.arguments for piece in pieces)


CALL = ' {\n "name" : "a\\u0062\\"c" ,"arguments":\t{"x": "}  ", "y": [{}]} \n}\n'


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(CALL)])
def test_a_call_is_read_wherever_it_is_cut(size: int) -> None:
    events = read(*(CALL[start : start + size] for start in range(0, len(CALL), size)))
    assert call_in(events) == ('ab"c', '{"x": "}  ", "y": [{}]}')
    assert events[-1] == Done("tool_calls")


def test_white_space_before_the_arguments_is_not_kept() -> None:
    reader = CallReader()
    for text in ("{", *["\n"] * 1000, '"na', "me", '"', *[" "] * 1000):
        assert list(reader.read(TextDelta(text))) == []
        assert len(str(vars(reader))) < 500
    assert call_in([piece for text in (':"f","arguments":{}', "}") for piece in reader.read(TextDelta(text))]) == (
        "f",
        "{}",
    )


def test_white_space_behind_the_arguments_is_not_joined_for_each_piece() -> None:
    reader = CallReader()
    list(reader.read(TextDelta('{"name":"f","arguments":{}')))
    for _ in range(1000):
        assert list(reader.read(TextDelta("\n"))) == []
    assert next(iter(reader.read(Done("length")))) == ToolCallDelta(0, "}" + "\n" * 1000)


def test_words_instead_of_a_call_are_not_kept() -> None:
    reader = CallReader()
    for _ in range(5000):
        assert list(reader.read(TextDelta("word "))) == []
    assert len(str(vars(reader))) < 3000
    with pytest.raises(LlmBroke, match="did not make the call"):
        list(reader.read(STOP))


def test_a_name_with_an_unknown_escape_is_no_call() -> None:
    with pytest.raises(LlmBroke, match="did not make the call"):
        read(r'{"name":"\q","arguments":{}}')
