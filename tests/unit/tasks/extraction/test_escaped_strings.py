"""The strings of JSON and YAML are read with the characters that their escapes stand for."""

import json
from collections.abc import Mapping
from typing import Any

from tasks.extraction.escaped_strings import without_escapes
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, read_field


def line(text: str) -> SourceLine:
    return SourceLine(tuple(text.split()), "/text", {}, written=text)


@each_case(
    ("text", "decoded"),
    [
        (r'{"total":"12\u0039.50"}', '{"total":"129.50"}'),
        (r'{"a\u0062": ["\u00e9", "\ud83d\ude00"]}', '{"ab": ["é", "😀"]}'),
        (r'"A\/B", "C:\\new", "x\\u0039"', r'"A/B", "C:\new", "x\u0039"'),
        (r'- "caf\xe9 \U0001F600" # comment', '- "café 😀" # comment'),
        (r'{"name": "Maria\nLopez\t"}', '{"name": "Maria Lopez "}'),
        (r'{"note": "cut \u0026 of', '{"note": "cut & of'),
        (r'{"half": "\ud83d \uDC00", "beyond": "\UFFFFFFFF"}', '{"half": "� �", "beyond": "�"}'),
        (r'Path: "C:\new\bin"', r'Path: "C:\new\bin"'),
        (r'He said "\u0039 \n" twice, and \u0039', r'He said "\u0039 \n" twice, and \u0039'),
        (r'{"pattern": "\d+\.\q"}', r'{"pattern": "\d+\.\q"}'),
        (r"'it\u0027s'", r"'it\u0027s'"),
    ],
)
def test_escapes_of_strings_are_replaced(text: str, decoded: str) -> None:
    [changed] = without_escapes([line(text)])
    assert changed.written == decoded
    assert changed.words == tuple(decoded.split())
    assert changed.place == {}


@each_case("text", [r'{"total": "12\u00089.50"}', r'{"total": "12\b9.50"}', r'total: "12\e[8m9"'])
def test_control_characters_are_kept_as_written(text: str) -> None:
    [changed] = without_escapes([line(text)])
    assert changed.written == text


@each_case(
    ("text", "name", "schema", "value"),
    [
        (r'{"total":"12\u0039.50"}', "total", NUMBER, 129.5),
        (json.dumps({"vendor": "Müller GmbH", "total": 12.5}), "vendor", TEXT, "Müller GmbH"),
        (json.dumps({"vendor": "東京商事", "total": 12.5}, indent=2), "vendor", TEXT, "東京商事"),
        ('vendor: "Caf\\u00e9 Noir"\ntotal: 12.5\n', "vendor", TEXT, "Café Noir"),
        (json.dumps({"id": "A-1", "vendor": 'Smith & "Sons"', "total": 12.5}), "vendor", TEXT, 'Smith & "Sons"'),
        (r'{"vendor":"A\/B Testing Ltd","date":"14\/03\/2026"}', "date", DAY, "2026-03-14"),
        (r'{"customer":"Maria\nLopez","id":"A17\t"}', "customer", TEXT, "Maria Lopez"),
    ],
)
async def test_a_field_has_the_decoded_string(text: str, name: str, schema: Mapping[str, Any], value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value
