"""JSON with long texts, which is encoded in pieces."""

import json
from typing import Any

import pydantic_core
import pytest

from app.wire import json_pieces
from app.wire.json_pieces import PIECE, completion_json, nested_pieces, object_pieces
from app.wire.response import ChatCompletion
from models.fair_executor import all_of

LONG = ('a"\\\n\u00e9\U0001f600' * PIECE)[: 3 * PIECE + 1]


@pytest.mark.parametrize(
    "value",
    [
        *({}, [], None, LONG, {"a": 1, "b": {"c": LONG}}, {"a": LONG}),
        {"a": [1.5, None], "é": LONG, "c": True, "d": LONG},
        [*range(50)],
        [*range(51)],
        [*range(100), LONG, LONG, *range(101)],
        {"a": [{"b": [{"c": [1]}] * 120, "d": {}}, {"b": []}, [[*range(60)]]], "e": []},
    ],
)
def test_pieces_join_to_the_json_of_the_whole(value: Any) -> None:
    assert b"".join(object_pieces(value)) == pydantic_core.to_json(value)


@pytest.mark.parametrize("long", [LONG, LONG.encode()])
@pytest.mark.parametrize("short", ["é", "é".encode()])
def test_long_texts_and_views_of_texts_anywhere_are_encoded_in_pieces(long: str | bytes, short: str | bytes) -> None:
    def value(long: Any, short: Any) -> Any:
        return {"a": [long, {"é": short, "c": long}, [], 1.5, None, True], "d": {}}

    def view(text: str | bytes) -> str | memoryview:
        return text if isinstance(text, str) else memoryview(text)

    pieces = list(nested_pieces(value(view(long), view(short))))
    assert b"".join(pieces) == pydantic_core.to_json(value(LONG, "é"))
    assert max(map(len, pieces)) <= 3 * PIECE


def test_the_lines_of_pages_are_encoded_a_few_at_a_time() -> None:
    line = {"text": "word " * 5, "words": [{"text": "word", "bounds": {"x": 1, "y": 2}}] * 5}
    page = {"number": 1, "lines": [line] * 1000}
    pieces = list(object_pieces({"text": "", "sections": [page] * 20}))
    assert max(map(len, pieces)) <= 51 * len(pydantic_core.to_json(line))


def test_no_piece_of_a_long_text_takes_long() -> None:
    assert max(map(len, object_pieces({"a": '"' * 1_000_000}))) == 2 * PIECE


@pytest.mark.parametrize("content", [None, "", "short", LONG])
@pytest.mark.parametrize("found", [None, [{"n": 1}], [LONG, {"text": LONG, "lines": [{}] * 200}]])
def test_an_answer_is_encoded_as_its_model_is(content: str | None, found: list[Any] | None) -> None:
    answer = ChatCompletion.model_validate(
        {
            "id": "req-1",
            "created": 0,
            "model": "m",
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "warnings": ["w"],
            "precontext": found and [*({"name": "ocr", "result": one} for one in found), {"name": "a", "error": LONG}],
        }
    )
    encoded = b"".join(all_of(completion_json(answer)))
    assert encoded == pydantic_core.to_json(answer)
    assert json.loads(encoded)["choices"][0]["message"]["content"] == content


def test_values_without_a_long_text_need_no_placeholder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> str:
        raise AssertionError("asks the system for random bytes")

    monkeypatch.setattr(json_pieces.secrets, "token_hex", refuse)
    assert b"".join(nested_pieces({"a": ["b", memoryview(b"c")]})) == b'{"a":["b","c"]}'
