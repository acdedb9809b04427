"""A batch's file: where its lines are, and what is wrong with it before any of them runs."""

import json
from typing import Any, TypeVar

import pytest

from app.batches.lines import MAX_ID_CHARS, MAX_PROBLEMS, BadFile, Checker, RawLine, Splitter, custom_id_of, output_line
from app.wire.parse import LARGE_BYTES
from tests.conftest import each_case

T = TypeVar("T")

URL = "/v1/chat/completions"
KB = 1024


def split(*pieces: bytes, most_bytes: int = KB, most_lines: int = 100) -> list[tuple[int, bytes]]:
    splitter = Splitter(most_bytes, most_lines)
    found = [line for piece in pieces for line in splitter.feed(piece)]
    return [(line.number, line.data) for line in (*found, *splitter.finish())]


def line(custom_id: object = "a", **fields: object) -> bytes:
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": URL, "body": {}} | fields).encode()


def problems(*lines: bytes, max_values: int = 1000) -> list[dict[str, Any]]:
    checker = Checker([URL], max_values)
    checker.check([RawLine(number, data) for number, data in enumerate(lines, 1)])
    checker.finish()
    return checker.problems


@each_case("cut", range(1, 12))
def test_lines_are_found_wherever_the_pieces_end(cut: int) -> None:
    data = b"one\ntwo\r\n\nf"
    assert split(data[:cut], data[cut:]) == [(1, b"one"), (2, b"two"), (4, b"f")]


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_line() -> None:
    assert split(b"\xef\xbb\xbf{}\n{}\n") == [(1, b"{}"), (2, b"{}")]


def test_a_file_may_have_as_many_lines_as_the_limit_says_and_no_more() -> None:
    assert len(split(b"a\n" * 3, most_lines=3)) == 3
    with pytest.raises(BadFile) as refused:
        split(b"a\n" * 4, most_lines=3)
    assert (refused.value.problem["code"], refused.value.problem["line"]) == ("too_many_lines", 4)
    assert "3 lines" in refused.value.problem["message"]


def test_a_line_is_refused_as_soon_as_it_is_too_long() -> None:
    assert split(b"x" * KB) == [(1, b"x" * KB)]
    splitter = Splitter(KB, 10)
    splitter.feed(b"a\n" + b"x" * KB)
    with pytest.raises(BadFile) as refused:
        splitter.feed(b"x")
    assert (refused.value.problem["code"], refused.value.problem["line"]) == ("line_too_long", 2)


def test_good_lines_have_no_problems() -> None:
    assert problems(line("a"), line("b"), line("c", body={"model": 7})) == []


@each_case(
    ("bad", "code", "param"),
    [
        (b'{"custom_id": ', "invalid_json_line", None),
        (b"[1]", "invalid_json_line", None),
        (b'{"custom_id": "\xff"}', "invalid_json_line", None),
        (line(None), "missing_required_parameter", "custom_id"),
        (b"{}", "missing_required_parameter", "custom_id"),
        (line(7), "invalid_custom_id", "custom_id"),
        (line(""), "invalid_custom_id", "custom_id"),
        (line("x" * (MAX_ID_CHARS + 1)), "invalid_custom_id", "custom_id"),
        (line("good"), "duplicate_custom_id", "custom_id"),
        (line(method="GET"), "invalid_method", "method"),
        (line(url="/v1/embeddings"), "invalid_url", "url"),
        (line(url=["/v1/chat/completions"]), "invalid_url", "url"),
    ],
)
def test_a_bad_line_is_told_by_its_number(bad: bytes, code: str, param: str | None) -> None:
    [problem] = problems(line("good"), bad, line("also good"))
    assert (problem["code"], problem["line"], problem["param"]) == (code, 2, param)
    assert problem["message"]


def test_a_bad_line_does_not_take_its_id_from_a_good_one() -> None:
    assert [one["code"] for one in problems(line("a", method="GET"), line("a"))] == ["invalid_method"]


def test_a_file_without_lines_is_told_so() -> None:
    assert [one["code"] for one in problems()] == ["empty_file"]


def test_only_so_many_problems_are_told() -> None:
    assert len(problems(*[b"no"] * (MAX_PROBLEMS + 50))) == MAX_PROBLEMS


def test_a_large_line_is_checked_as_a_small_one_is() -> None:
    large = line("a", body={"text": "x" * LARGE_BYTES})
    assert problems(large, line("b")) == []
    assert custom_id_of(large) == "a"


def test_a_large_line_of_many_values_is_refused() -> None:
    [problem] = problems(line("a", body=[1] * LARGE_BYTES))
    assert "values." in problem["message"]


def test_a_long_answer_becomes_one_line() -> None:
    text = "a\u2028é\u0085😀" * 1000
    body = json.dumps({"a": text}, ensure_ascii=False).encode()
    made = output_line("a\u2028", "req-1", 200, body)
    assert len(made.decode().splitlines()) == 1
    row = json.loads(made)
    assert (row["custom_id"], row["error"]) == ("a\u2028", None)
    assert row["response"] == {"status_code": 200, "request_id": "req-1", "body": {"a": text}}
