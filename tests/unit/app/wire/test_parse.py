"""A JSON text without its long strings means what it meant with them."""

import json
import sys
from typing import Any

import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadRequest, PayloadTooLarge
from app.wire.parse import (
    LARGE_BYTES,
    MANY_VALUES,
    MAX_DIGITS,
    MAX_SHORT_BYTES,
    MAX_VALUES,
    TEXT_COPIES,
    VALUE_BYTES,
    TooMuchJson,
    parse,
    parse_hollow,
    parse_off_loop,
    shorten,
)
from app.wire.request import ChatRequest
from models.base import MemoryShort
from models.fair_executor import FairExecutor

LONG, PIECE = 12, 16

texts = st.one_of(
    st.text(),
    st.text(alphabet='ab/+=\\"\n\x7fé€😀', min_size=LONG, max_size=120),
    st.text(alphabet="AZaz09+/", min_size=LONG, max_size=120),
).filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def restored(value: Any, strings: dict[str, memoryview]) -> Any:
    match value:
        case str():
            return str(strings[value], "utf-8") if value in strings else value
        case list():
            return [restored(item, strings) for item in value]
        case dict():
            return {key: restored(item, strings) for key, item in value.items()}
    return value


def read(body: bytes) -> Any:
    short = shorten(body, max_values=1000, long=LONG, piece=PIECE)
    return restored(pydantic_core.from_json(short.text), short.strings)


def encoded(value: Any, *, ascii_only: bool, slashes: bool) -> bytes:
    text = json.dumps(value, ensure_ascii=ascii_only)
    return (text.replace("/", "\\/") if slashes else text).encode()


@given(values, st.booleans(), st.booleans())
def test_any_json_means_the_same_without_its_long_strings(value: Any, ascii_only: bool, slashes: bool) -> None:
    assert read(encoded(value, ascii_only=ascii_only, slashes=slashes)) == value


@given(values, st.data())
def test_what_is_no_json_is_none_without_its_long_strings_either(value: Any, data: st.DataObject) -> None:
    body = bytearray(encoded(value, ascii_only=False, slashes=False))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place : place + data.draw(st.integers(0, 3))] = data.draw(
        st.binary(max_size=3) | st.sampled_from([b'"', b"\\"])
    )
    try:
        expected = pydantic_core.from_json(bytes(body))
    except ValueError:
        with pytest.raises(ValueError):
            read(bytes(body))
    else:
        assert read(bytes(body)) == expected


def test_a_long_string_stays_where_it_lies() -> None:
    body = bytearray(json.dumps({"data": "A" * 100_000}).encode())
    short = shorten(body, max_values=100)
    assert len(short.text) < 1200
    [view] = short.strings.values()
    assert view.obj is body


@pytest.mark.parametrize("escaped", ["\\/", "\\u002B", "\\r\\n", "\\u00e9", "\\ud83d\\ude00"])
def test_a_long_string_with_escapes_is_taken_out_whole(escaped: str) -> None:
    body = f'["{"QUJD" + escaped}{("A" * 76 + escaped) * 2000}"]'.encode()
    short = shorten(body, max_values=100)
    assert [str(view, "utf-8") for view in short.strings.values()] == json.loads(body)


@pytest.mark.parametrize(
    "text",
    [
        "A" * 20_000 + "\n",
        "A" * 20_000 + "\\x" + "A" * 20_000,
        "A" * 20_000 + "\\ud800",
        "\\u00eg" + "A" * 20_000,
        "\\n" * 90_000 + "\x01" + "A" * 90_000,
        "\\n" * 90_000 + "\\ud83d\\x",
    ],
)
def test_a_fault_of_a_long_string_is_placed_as_the_parser_of_the_whole_would_place_it(text: str) -> None:
    body = f'{{"a":\n[1, "{text}"]}}'.encode()
    with pytest.raises(ValueError) as expected:
        pydantic_core.from_json(body)
    with pytest.raises(ValueError) as found:
        shorten(body, max_values=100)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("text", ["A" * 20_000, "A" * 20_000 + "\\", "\\n" * 90_000, "A" * 20_000 + "\\u00"])
def test_a_long_string_without_an_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="EOF while parsing a string at line 1"):
        shorten(f'["{text}'.encode(), max_values=100)


def test_bytes_that_are_no_utf8_are_refused_in_a_long_string() -> None:
    for text in (b"A" * 20_000 + b"\xff", b"\x80" * 200_000, b"\xc3" * 200_000):
        with pytest.raises(ValueError, match="invalid unicode"):
            shorten(b'["' + text + b'"]', max_values=100)


@pytest.mark.parametrize(
    "ending", [",]", "]]", ' "b"]', "\n,]", "\n\n nope]", "", ', "c', ', {"d" 1}]', ', "\\x"]', ', "\x02"]']
)
def test_a_fault_behind_long_strings_is_placed_in_the_whole_body(ending: str) -> None:
    texts = ["A" * 150_000, "\\n" * 70_000, "é" * 20_000]
    body = f'{{"a": ["{texts[0]}",\n "{texts[1]}", "{texts[2]}"{ending}'.encode()
    assert len(body) > LARGE_BYTES
    with pytest.raises(ValueError) as expected:
        pydantic_core.from_json(body)
    with pytest.raises(BadRequest) as refused:
        parse(ChatRequest, bytearray(body))
    assert (refused.value.code, refused.value.message) == ("invalid_json", f"Invalid JSON: {expected.value}")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(["a\n" * 5000] * 900),
        json.dumps({"\n" * 5_000_000: 1}),
        json.dumps({f"{number}" + "k" * 20_000: 1 for number in range(500)}),
        "[" + " " * 9_000_000 + "]",
        "[1" + "0" * 9_000_000 + "]",
        "[" + " " * 5_000_000 + f'"{"A" * 20_000}"' + " " * 5_000_000 + "]",
    ],
)
def test_no_more_is_parsed_at_once_than_takes_little_time(body: str) -> None:
    with pytest.raises(TooMuchJson, match="more than 8 MB beside its texts of 16 kB or more"):
        shorten(body.encode(), max_values=100_000)


def test_long_strings_count_for_no_more_than_their_placeholders() -> None:
    body = json.dumps(["A" * 20_000] * 2000).encode()
    short = shorten(body, max_values=100_000)
    assert len(short.strings) == 2000
    assert len(short.text) < MAX_SHORT_BYTES < len(body)


def test_long_keys_stay() -> None:
    body = json.dumps({"k" * 20_000: 1}).encode()
    assert shorten(body, max_values=100).text == body


@pytest.mark.parametrize("value", ["[],", "{},", '"",', "1,", '"a":1,'])
def test_more_values_than_allowed_are_refused(value: str) -> None:
    with pytest.raises(TooMuchJson):
        shorten(b"[" + value.encode() * 2000 + b"1]", max_values=1000)
    assert shorten(b"[" + value.encode() * 300 + b"1]", max_values=1000).strings == {}


@pytest.mark.parametrize("text", ["1," * 5000, "[" * 10_000, '",{' * 3000])
def test_signs_in_strings_are_no_values(text: str) -> None:
    body = json.dumps([text] * 30).encode()
    assert shorten(body, max_values=100, piece=PIECE).text == body
    with pytest.raises(TooMuchJson, match="more than 100 values"):
        shorten(body[:-1] + b",1" * 100 + b"]", max_values=100)


@pytest.mark.parametrize("piece", [PIECE, MAX_DIGITS, 1000])
@pytest.mark.parametrize("before", ['"a", ', "-", "0.", '"\\"", ', "1e", " " * 990])
def test_a_number_of_too_many_digits_is_refused(before: str, piece: int) -> None:
    digits = "1234567890" * (MAX_DIGITS // 10)
    body = f'["{digits}0", {before}{digits}'
    assert shorten(f"{body}]".encode(), max_values=100, piece=piece).strings == {}
    with pytest.raises(TooMuchJson, match="has a number of more than 400 digits"):
        shorten(f'{body}7, "b"]'.encode(), max_values=100, piece=piece)


def test_digits_in_strings_are_no_number() -> None:
    body = json.dumps(["7" * 15_000, {"7" * 20_000: 'a"' + "7" * 5000}] * 20).encode()
    assert len(body) > LARGE_BYTES
    assert shorten(body, max_values=1000).text == body


def test_a_large_body_with_a_long_number_is_refused_by_the_limit() -> None:
    body = json.dumps({"model": "interfaze-beta", "messages": [], "x": [" " * 15_000] * 20})[:-1] + ', "n": '
    with pytest.raises(PayloadTooLarge) as refused:
        parse(ChatRequest, bytearray(f"{body}{'7' * 4000}}}".encode()))
    assert (refused.value.status, refused.value.message) == (
        413,
        "The request's JSON has a number of more than 400 digits.",
    )


def test_a_string_that_is_too_long_for_its_field_is_found_in_a_large_body_too() -> None:
    messages = [{"role": "user", "content": "x" * 300_000}]
    tools = [{"type": "function", "function": {"name": "n" * 20_000}}]
    body = json.dumps({"model": "interfaze-beta", "messages": messages, "tools": tools}).encode()
    with pytest.raises(BadRequest, match=r"name': String should match pattern") as refused:
        parse(ChatRequest, body)
    assert refused.value.param == "tools[0].function.name"


def requested(text: str) -> bytearray:
    return bytearray(json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode())


@pytest.mark.parametrize(
    ("character", "width"), [("a", 1), ("é", 1), ("€", 2), ("\U0001f600", 4)], ids=["ascii", "latin", "euro", "emoji"]
)
async def test_memory_for_a_long_text_is_held_by_its_size_once_decoded(character: str, width: int) -> None:
    text = character + "a" * LARGE_BYTES
    held: list[int] = []

    async def hold(size: int) -> None:
        held.append(size)

    threads = FairExecutor("wire")
    request = await parse_off_loop(ChatRequest, requested(text), threads, hold)
    await threads.close()
    assert request.messages[0].content == text
    [size] = held
    assert TEXT_COPIES * sys.getsizeof(text) <= size + 200 <= TEXT_COPIES * width * len(text) + 20_000


async def test_many_values_are_bounded_and_parsed_in_a_thread_however_few_bytes_they_take() -> None:
    async def hold(size: int) -> None:
        held.append(size)

    held: list[int] = []
    threads = FairExecutor("wire")
    for values in (MANY_VALUES - 100, MANY_VALUES + 100):
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "z": [0] * values}).encode()
        await parse_off_loop(ChatRequest, bytearray(body), threads, hold)
    [size] = held
    assert size > MANY_VALUES * VALUE_BYTES
    body = b'{"model": "m", "z": [%b]}' % b",".join([b"[]"] * MAX_VALUES)
    with pytest.raises(PayloadTooLarge, match=f"has more than {MAX_VALUES} values"):
        await parse_off_loop(ChatRequest, bytearray(body), threads, hold)
    await threads.close()


async def test_a_request_without_memory_for_its_texts_is_refused_before_they_are_decoded() -> None:
    async def refuse(_: int) -> None:
        raise MemoryShort("memory", 1)

    threads = FairExecutor("wire")
    with pytest.raises(MemoryShort):
        await parse_off_loop(ChatRequest, requested("\U0001f600" * LARGE_BYTES), threads, refuse)
    await threads.close()


def test_media_are_not_decoded_and_need_no_further_memory() -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4 * LARGE_BYTES}}
    body = {"model": "m", "messages": [{"role": "user", "content": [part]}]}
    assert parse_hollow(ChatRequest, json.dumps(body).encode()).size < 20_000


def test_many_short_texts_count_with_the_widest_of_them() -> None:
    texts = ["\U0001f600" + "a" * 1000] * 1000
    body = {"model": "m", "messages": [{"role": "user", "content": text} for text in texts]}
    size = parse_hollow(ChatRequest, json.dumps(body, ensure_ascii=False).encode()).size
    assert size >= TEXT_COPIES * sum(map(sys.getsizeof, texts))
    assert parse_hollow(ChatRequest, json.dumps(body).encode()).size >= size
