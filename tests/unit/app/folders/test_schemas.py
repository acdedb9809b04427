"""The fields of a table, as a person may name them."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from app.folders.schemas import plain_schema, problem_of, schema_of

TEXT, NUMBER = {"type": ["string", "null"]}, {"type": ["number", "null"]}
DATE = {"type": ["string", "null"], "format": "date"}


def an_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


@pytest.mark.parametrize(
    ("line", "schema"),
    [
        ("number", an_object(number=TEXT)),
        ("number, total: number", an_object(number=TEXT, total=NUMBER)),
        ("date, due_date, dated: text, updated", an_object(date=DATE, due_date=DATE, dated=TEXT, updated=TEXT)),
        (
            "number, lines[description, amount: number], total: number",
            an_object(
                number=TEXT,
                lines={"type": "array", "items": an_object(description=TEXT, amount=NUMBER)},
                total=NUMBER,
            ),
        ),
        ("seller{name, city}", an_object(seller=an_object(name=TEXT, city=TEXT))),
        ("tags: texts, paid: boolean", an_object(
            tags={"type": "array", "items": {"type": "string"}}, paid={"type": ["boolean", "null"]}
        )),
        (" größe:number ,naïve ", an_object(größe=NUMBER, naïve=TEXT)),
    ],
)  # fmt: skip
def test_a_line_names_fields(line: str, schema: dict[str, Any]) -> None:
    assert schema_of(line) == schema


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "names no field"),
        ("a b", "a comma is missing after 'a'"),
        ("a, a", "'a' is named twice"),
        ("a: money", "type 'money'; choose from: text, number"),
        ("lines[]", "'lines' has no fields"),
        ("lines[a", "']' is missing"),
        ("a]", "a comma is missing after 'a'"),
        (", a", "a name is missing before ','"),
        ("a; b", "';' is unexpected"),
        ("a[b[c[d[e]]]]", "more than 4 levels"),
        ("nowhere.at.all:Invoice", "cannot be imported as a pydantic class"),
        ("missing.json", "No such file"),
    ],
)
def test_what_names_no_fields_is_refused_with_its_reason(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[").replace("]", r"\]")):
        schema_of(line)


def test_a_file_and_a_class_are_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "invoice.json").write_text(json.dumps(an_object(number=TEXT)))
    assert schema_of("invoice.json") == an_object(number=TEXT)
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ValueError, match="not a JSON object"):
        schema_of("list.json")
    (tmp_path / "my_papers.py").write_text(
        "from pydantic import BaseModel\nclass Invoice(BaseModel):\n    number: str\n"
    )
    assert schema_of("my_papers:Invoice")["properties"]["number"]["type"] == "string"


@pytest.mark.parametrize(
    ("part", "plain"),
    [
        ({"$ref": "#/$defs/amount"}, NUMBER),
        ({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]+"}, {"type": "null"}]}, NUMBER),
        ({"type": "string", "nullable": True}, TEXT),
        ({"allOf": [{"$ref": "#/$defs/amount"}, {"maximum": 9}]}, NUMBER | {"maximum": 9}),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, {"enum": ["a", "b", None]}),
        ({"type": "number", "required": True}, {"type": "number"}),
        ({"oneOf": [{"type": "number"}, {"type": "boolean"}]}, {"oneOf": [{"type": "number"}, {"type": "boolean"}]}),
    ],
)
def test_a_plain_schema_is_in_one_piece(part: dict[str, Any], plain: dict[str, Any]) -> None:
    schema = {"properties": {"x": part}, "$defs": {"amount": NUMBER}}
    assert plain_schema(schema) == {"properties": {"x": plain}}


def test_a_schema_that_contains_itself_ends() -> None:
    person = {"properties": {"name": TEXT, "children": {"type": "array", "items": {"$ref": "#"}}}}
    plain = plain_schema(person)
    assert plain["properties"]["children"]["items"]["properties"]["name"] == TEXT


@pytest.mark.parametrize(
    ("part", "value", "fits"),
    [
        (NUMBER, 2.5, True), (NUMBER, None, True), (NUMBER, "2.5", False), ({"type": "string"}, None, False),
        ({"enum": ["a", None]}, "b", False), (DATE, "2026-02-30", False), ({"type": "integer"}, 10**400, False),
        ({"type": "string", "pattern": "\\p{L}+"}, "A", True),
    ],
)  # fmt: skip
def test_a_value_fits_its_field_or_not(part: dict[str, Any], value: Any, fits: bool) -> None:
    assert (problem_of(part, value) is None) == fits


@pytest.mark.parametrize("keyword", ["not", "if"])
def test_no_reference_is_fetched_to_check_a_value(keyword: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as site:
        address = f"http://127.0.0.1:{site.getsockname()[1]}/schema"
        for reference in (address, "file:///etc/hostname", "#/$defs/gone"):
            assert problem_of({"type": "string", keyword: {"$ref": reference}}, "A") is None
        site.setblocking(False)
        with pytest.raises(BlockingIOError):
            site.accept()
