"""JSON and XML files: their text as it is, within bounds."""

import pytest

from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import json_depth, read_text
from tests.conftest import each_case


def read(data: bytes, media_type: str, charset: str | None = None) -> str:
    return read_text(Blob(data, media_type, "file", "p", charset), MediaLimits())


@each_case(
    ("text", "depth"),
    [
        ('[[], {"a": {}}]', 3),
        ('["[[[", "{"]', 1),
        (r'["\"[[", "\\", []]', 2),
        (r'["\\\"[[", [[]]]', 3),
        ("[" * 100_000, 100_000),
        ('"' + "[" * 3_000_000 + '", [[]]', 2),
        ("[" * 1_100_000 + "]" * 1_100_000, 1_100_000),
    ],
)
def test_brackets_outside_of_strings_are_counted(text: str, depth: int) -> None:
    assert json_depth(text) == depth


def test_comments_in_markdown_are_left_out_but_not_those_in_code() -> None:
    code = "```html\n<!-- seen -->\n```\nand `<!-- seen -->`"
    assert read(f"a <!-- x -->b\n<!--\ny\n-->\n{code}\n<!-- z".encode(), "text/markdown") == f"a b\n\n{code}\n<!-- z"
    assert read(b"a <!-- x -->b", "text/plain") == "a <!-- x -->b"


@pytest.mark.parametrize("depth", [201, 100_000])
def test_json_that_is_too_deep_is_refused(depth: int) -> None:
    assert read(b"[" * 200 + b"]" * 200, "application/json")
    with pytest.raises(InputError, match=r"'file' has lists or objects more than 200 deep, the limit"):
        read(b"[" * depth + b"]" * depth, "application/json")


def test_xml_says_its_charset_itself() -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?><a>цена</a>'
    assert read(text.encode("cp1251"), "application/xml") == text
