"""JSON and XML files: their text as it is, within bounds."""

from types import SimpleNamespace
from typing import Any
from xml.parsers import expat

import pytest

from tasks.errors import InputError
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text import xml_entities
from tasks.inputs.text.text_file import json_depth, read_text
from tests.conftest import each_case

LAUGHS = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'


def read(data: bytes, media_type: str, charset: str | None = None) -> str:
    return read_text(Blob(data, media_type, "file", "p", charset), MediaLimits())


@each_case(
    ("text", "depth"),
    [
        ("1", 0),
        ("[]", 1),
        ('[[], {"a": {}}]', 3),
        ('["[[[", "{"]', 1),
        (r'["\"[[", "\\", []]', 2),
        (r'["\\\"[[", [[]]]', 3),
        ('{"ä": ["漢"]}', 2),
        ("[" * 100_000, 100_000),
        ('"' + "[" * 3_000_000 + '", [[]]', 2),
        ("[" * 1_100_000 + "]" * 1_100_000, 1_100_000),
    ],
)
def test_brackets_outside_of_strings_are_counted(text: str, depth: int) -> None:
    assert json_depth(text) == depth


def test_json_is_its_text() -> None:
    text = '{"a": [1, 2.50, "x"]}\n'
    assert read(text.encode(), "application/json") == text


@pytest.mark.parametrize("text", ["{broken", '{"a": 1}\n{"a": 2}\n', "{/* a comment */}"])
def test_json_that_is_not_quite_is_its_text_too(text: str) -> None:
    assert read(text.encode(), "application/json") == text


def test_comments_in_markdown_are_left_out_but_not_those_in_code() -> None:
    code = "```html\n<!-- seen -->\n```\nand `<!-- seen -->`"
    assert read(f"a <!-- x -->b\n<!--\ny\n-->\n{code}\n<!-- z".encode(), "text/markdown") == f"a b\n\n{code}\n<!-- z"
    assert read(b"a <!-- x -->b", "text/plain") == "a <!-- x -->b"


@pytest.mark.parametrize("depth", [201, 100_000])
def test_json_that_is_too_deep_is_refused(depth: int) -> None:
    assert read(b"[" * 200 + b"]" * 200, "application/json")
    with pytest.raises(InputError, match=r"'file' has lists or objects more than 200 deep, the limit"):
        read(b"[" * depth + b"]" * depth, "application/json")


@pytest.mark.parametrize(
    "text",
    [
        "<a><b>x</b></a>",
        '<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://a.b/c.dtd"><plist/>',
        "<a><![CDATA[<!ENTITY x 'y'>]]></a>",
        "<broken",
        "<a>" * 10_000,
    ],
)
def test_xml_is_its_text(text: str) -> None:
    assert read(text.encode(), "application/xml") == text


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://a.b/c.dtd">%x;]><a/>',
        f"<!--{'x' * 200_000}-->{LAUGHS.partition('?>')[2]}",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused(text: str, encoding: str) -> None:
    with pytest.raises(InputError, match="'file' declares XML entities"):
        read(text.encode(encoding), "application/xml")


@pytest.mark.parametrize(
    ("before", "pieces"), [("", 0), ("<?xml version='1.0'?>\n<!-- a -->\n", 0), ("<!DOCTYPE a>", 1)]
)
def test_nothing_after_the_document_type_is_parsed(monkeypatch: pytest.MonkeyPatch, before: str, pieces: int) -> None:
    """A start tag is handled in one step, however many attributes it has."""
    parsed: list[int] = []

    def noting(encoding: str) -> Any:
        parser = expat.ParserCreate(encoding)

        class Noting:
            def __setattr__(self, name: str, value: Any) -> None:
                setattr(parser, name, value)

            def Parse(self, data: bytes, is_final: bool) -> int:  # noqa: N802 - as in expat
                parsed.append(len(data))
                return parser.Parse(data, is_final)

        return Noting()

    monkeypatch.setattr(xml_entities, "expat", SimpleNamespace(ParserCreate=noting, ExpatError=expat.ExpatError))
    attributes = " ".join(f'a{number}="1"' for number in range(50_000))
    assert not xml_entities.declares_entities(f"{before}<a {attributes}/>")
    assert len(parsed) == pieces


def test_xml_says_its_charset_itself() -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?><a>цена</a>'
    assert read(text.encode("cp1251"), "application/xml") == text


def test_an_encoding_is_declared_at_the_beginning_of_an_xml_file_or_not_at_all() -> None:
    for blanks, word in ((1, "café"), (20_000, "caf‚")):
        text = b'<?xml version="1.0"' + b" " * blanks + b'encoding="cp437"?><a>caf\x82</a>'
        assert word in read(text, "application/xml")


def test_yaml_is_never_expanded() -> None:
    text = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(5))
    assert read(text.encode(), "application/yaml") == text
