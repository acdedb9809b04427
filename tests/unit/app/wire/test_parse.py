"""What a body may have, so that its parser holds nobody up."""

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequest, PayloadTooLarge
from app.wire import parse as module
from app.wire.parse import (
    LARGE_BYTES,
    MANY_VALUES,
    MAX_DIGITS,
    TooMuchJson,
    check_size,
    count_values,
    is_large,
    parse,
    parse_json,
    parse_off_loop,
)
from app.wire.request import ChatRequest

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)
MESSAGE = {"role": "user", "content": "Hi."}


def values_in(value: Any) -> int:
    """The commas and opening brackets of a value's JSON outside of strings."""
    match value:
        case dict():
            return 1 + max(0, len(value) - 1) + sum(map(values_in, value.values()))
        case list():
            return 1 + max(0, len(value) - 1) + sum(map(values_in, value))
    return 0


def large(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [MESSAGE], "filler": "x" * LARGE_BYTES, **fields}).encode()


@given(ANY_JSON, st.booleans())
def test_signs_in_strings_are_no_values(value: Any, ascii_only: bool) -> None:
    assert count_values(json.dumps(value, ensure_ascii=ascii_only).encode()) == values_in(value)


@pytest.mark.parametrize("text", ['"', '\\\\"', ",[{", "\\", '[","]', '\\u005c"', "é,"])
def test_the_end_of_a_string_is_found_behind_its_escapes(text: str) -> None:
    for ascii_only in (True, False):
        assert count_values(json.dumps([text, [text, 1]], ensure_ascii=ascii_only).encode()) == 4


@pytest.mark.parametrize("value", ["[", "[],", "{}", "1,", '"a",', '"a":"b",'])
def test_more_values_than_allowed_are_refused(value: str) -> None:
    check_size(f"[{value * 900}".encode(), max_values=2000)
    with pytest.raises(TooMuchJson, match="more than 2000 values"):
        check_size(f"[{value * 5000}".encode(), max_values=2000)


def test_escapes_text_that_is_not_ascii_and_bytes_beside_strings_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_ESCAPES", "MAX_NOT_ASCII", "MAX_BESIDE"):
        monkeypatch.setattr(module, name, 1000)
    check_size(json.dumps(["\n" * 1000, "x" * 5000]).encode())
    for body, limit in (
        (json.dumps("\n" * 1001), "1000 backslashes"),
        (json.dumps("é" * 600, ensure_ascii=False), "not ASCII"),
        (f"[{' ' * 1001}]", "beside its strings"),
    ):
        with pytest.raises(TooMuchJson, match=limit):
            check_size(body.encode())


def test_a_number_of_too_many_digits_is_refused_and_digits_in_strings_are_none() -> None:
    check_size(b'["' + b"7" * 5000 + b'",' + b"1" * MAX_DIGITS + b"]")
    with pytest.raises(TooMuchJson, match=f"more than {MAX_DIGITS} digits"):
        check_size(b"[" + b"1" * (MAX_DIGITS + 1) + b"]")


def test_a_large_body_beyond_a_limit_is_a_413_and_a_small_one_has_none() -> None:
    with pytest.raises(PayloadTooLarge) as refused:
        parse(ChatRequest, large(extra=[1] * 2000), max_values=1000)
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")
    assert parse(ChatRequest, json.dumps({"model": "m", "messages": [MESSAGE], "x": [1] * 1500}).encode(), 1000)


def test_a_body_is_large_by_its_bytes_or_its_values() -> None:
    assert not is_large(b"x" * (LARGE_BYTES - 1))
    assert is_large(b"x" * LARGE_BYTES)
    assert is_large(b"[" * MANY_VALUES)
    assert is_large(b"[" * 10, values=MANY_VALUES - 10)


def test_a_fault_of_a_large_body_is_told_with_its_place() -> None:
    body = large()[:-1]
    with pytest.raises(BadRequest) as refused:
        parse(ChatRequest, body)
    assert refused.value.code == "invalid_json"
    assert refused.value.message.endswith(f"at line 1 column {len(body)}")
    with pytest.raises(ValueError, match="at line 1 column 1"):
        parse_json(b"x")


async def test_a_large_body_is_parsed_beside_the_loop() -> None:
    body = large(messages=[{"role": "user", "content": "words, " * 1_500_000}], extra=[1] * 40_000)
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - started)

    ticking = asyncio.create_task(tick())
    request = await parse_off_loop(ChatRequest, body)
    ticking.cancel()
    assert request.messages[0].content == "words, " * 1_500_000
    assert len(gaps) > 10
    assert max(gaps) < 0.5, "0.04 s on a quiet machine"
