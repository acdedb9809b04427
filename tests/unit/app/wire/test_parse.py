"""What a body may have, so that its parser holds nobody up."""

import asyncio
import json
import time
from typing import Any

import pytest

from app.errors import BadRequest, PayloadTooLarge
from app.wire.parse import (
    LARGE_BYTES,
    MAX_DIGITS,
    TooMuchJson,
    check_size,
    parse,
    parse_json,
    parse_off_loop,
)
from app.wire.request import ChatRequest

MESSAGE = {"role": "user", "content": "Hi."}


def large(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [MESSAGE], "filler": "x" * LARGE_BYTES, **fields}).encode()


@pytest.mark.parametrize("text", ['"', '\\\\"', ",[{", "\\", '[","]', '\\u005c"', "é,"])
def test_the_end_of_a_string_is_found_behind_its_escapes(text: str) -> None:
    for ascii_only in (True, False):
        body = json.dumps([text, [text, 1]], ensure_ascii=ascii_only).encode()
        check_size(body, max_values=4)
        with pytest.raises(TooMuchJson):
            check_size(body, max_values=3)


@pytest.mark.parametrize("value", ["[", "[],", "{}", "1,", '"a",', '"a":"b",'])
def test_more_values_than_allowed_are_refused(value: str) -> None:
    check_size(f"[{value * 900}".encode(), max_values=2000)
    with pytest.raises(TooMuchJson, match="more than 2000 values"):
        check_size(f"[{value * 5000}".encode(), max_values=2000)


def test_a_number_of_too_many_digits_is_refused_and_digits_in_strings_are_none() -> None:
    check_size(b'["' + b"7" * 5000 + b'",' + b"1" * MAX_DIGITS + b"]")
    with pytest.raises(TooMuchJson, match=f"more than {MAX_DIGITS} digits"):
        check_size(b"[" + b"1" * (MAX_DIGITS + 1) + b"]")


def test_a_large_body_beyond_a_limit_is_a_413_and_a_small_one_has_none() -> None:
    with pytest.raises(PayloadTooLarge) as refused:
        parse(ChatRequest, large(extra=[1] * 2000), max_values=1000)
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")
    assert parse(ChatRequest, json.dumps({"model": "m", "messages": [MESSAGE], "x": [1] * 1500}).encode(), 1000)


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
