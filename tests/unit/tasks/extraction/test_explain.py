from collections.abc import Mapping
from typing import Any

import pytest

from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.explain import Explanation, explain
from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tasks.extraction.probability import CellFeatures, calibration_input, calibration_terms
from tasks.extraction.trace import Trace
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread
from tasks.schema.paths import JsonPath, pointer_of
from tasks.tracing.find_evidence import find_evidence
from tests.kit.papers.filling import extractor
from tests.unit.tasks.extraction.reading import BOOLEAN, NUMBER, TEXT

INVOICE = "Invoice number: A-17\nNet 10.50\nTotal: 12.50 EUR\n"
SINGLES = {"number": TEXT, "net": NUMBER, "total": NUMBER}
ROWS = {
    "type": "array",
    "items": {"type": "object", "properties": {"article": TEXT, "quantity": NUMBER, "amount": NUMBER}},
}
TABLE = """\
Article,Quantity,Amount
Sourdough loaf,2,9.60
Rye bread,1,5.20
Butter,3,7.50
Total,,22.30
"""


async def explained(text: str, path: JsonPath, properties: Mapping[str, Any]) -> tuple[Explanation, CopiedFields]:
    entry = Entry(REQUEST, JsonResult({"messages": {"0": {"content": text}}}))
    schema = {"type": "object", "properties": properties}
    trace = Trace()
    copied = await in_thread(copy_fields, schema, GivenValues(), [entry], extractor(), (), trace)
    answer = {key: copied.values.get((key,)) for key in properties}
    value: Any = answer
    for step in path:
        value = value[step]
    found, _ = find_evidence(
        answer, [], schema, most_chars=10**6, support=copied.place, request=copied.document, decided=copied.decided
    )
    return explain(copied, trace, path, value, found.fields.get(pointer_of(path))), copied


async def test_a_value_has_its_place_and_what_each_step_added() -> None:
    explanation, _ = await explained(INVOICE, ("total",), SINGLES)
    best = explanation.candidates[0]
    assert (best.text, best.value, best.line, best.labels) == ("12.50", 12.5, "Total: 12.50 EUR", {"own": "Total"})
    assert best.is_chosen
    assert [one.text for one in explanation.candidates if one.is_chosen] == ["12.50"]
    assert [*best.score.changes] == [
        "network",
        "apply_rules",
        "separate_rivals",
        "prefer_parts",
        "divide_names",
        "prefer_sums",
        "prefer_sums_of_lists",
    ]
    assert best.score.logit == pytest.approx(sum(change or 0.0 for change in best.score.changes.values()), abs=0.05)
    assert explanation.nothing is not None
    assert explanation.nothing.changes["apply_rules"] == -2  # a label of the field has a value


async def test_a_place_of_another_field_is_named() -> None:
    explanation, _ = await explained(INVOICE, ("total",), SINGLES)
    [net] = [one for one in explanation.candidates if one.text == "10.50"]
    assert net.taken_by == "/net"
    assert net.score.changes["separate_rivals"] == pytest.approx(-2, abs=0.1)


async def test_the_terms_of_the_calibration_add_up_to_the_probability() -> None:
    explanation, _ = await explained(INVOICE, ("total",), SINGLES)
    assert explanation.probability is not None
    log_odds = sum(one.adds for one in explanation.calibration)
    assert 1 / (1 + 2.718281828**-log_odds) == pytest.approx(explanation.probability, abs=0.01)
    assert {one.name: one.value for one in explanation.calibration}["own"] == 1


async def test_a_trace_changes_no_value() -> None:
    entry = Entry(REQUEST, JsonResult({"messages": {"0": {"content": INVOICE}}}))
    schema = {"type": "object", "properties": SINGLES}
    untraced = await in_thread(copy_fields, schema, GivenValues(), [entry], extractor())
    _, traced = await explained(INVOICE, ("total",), SINGLES)
    assert traced.values == untraced.values


async def test_a_list_has_each_way_to_fill_it_and_the_rows_left_out() -> None:
    explanation, _ = await explained(TABLE, ("items",), {"items": ROWS})
    [table] = [way for way in explanation.ways if way.by == "file"]
    assert table.is_chosen
    assert (table.header, table.rows) == ("Article | Quantity | Amount", 3)
    assert [(one.header, one.field, one.values) for one in table.columns] == [
        ("Article", "article", 3),
        ("Quantity", "quantity", 3),
        ("Amount", "amount", 3),
    ]
    assert [(one.text, one.reason) for one in table.left_out] == [("Total |  | 22.30", "a sum")]
    others = [way for way in explanation.ways if way is not table]
    assert not any(way.is_chosen for way in others)
    assert table.worth is not None
    assert all(way.worth is None or way.worth < table.worth for way in others)


async def test_a_cell_has_its_column_and_its_calibration() -> None:
    explanation, _ = await explained(TABLE, ("items", 1, "amount"), {"items": ROWS})
    assert explanation.value == 5.2
    assert "The value is from the cell '5.20' below 'Amount'." in explanation.notes
    assert [one.name for one in explanation.calibration] == [*CellFeatures._fields]


async def test_a_table_that_does_not_answer_the_list_says_so() -> None:
    text = "Room,Floor,Window\nKitchen,1,North\nBath,2,East\nHall,1,West\n"
    explanation, _ = await explained(text, ("items",), {"items": ROWS})
    [table] = [way for way in explanation.ways if way.by == "file"]
    assert (table.worth, table.is_chosen) == (None, False)
    assert table.unanswered == ["article", "quantity", "amount"]
    assert table.note == "no reading of its header names enough fields of the list"


async def test_a_boolean_says_what_decided_it() -> None:
    boxes, _ = await explained("Insured:\n☒ yes\n☐ no\n", ("insured",), {"insured": BOOLEAN})
    assert boxes.decided is not None
    assert (boxes.decided.by, boxes.decided.text, boxes.value) == ("box", "☒ yes", True)
    word, _ = await explained("Insured: no\n", ("insured",), {"insured": BOOLEAN})
    assert word.decided is not None
    assert (word.decided.by, word.decided.text, word.value) == ("word behind the label", "no", False)
    assert not any(one.is_chosen for one in word.candidates)
    assert word.calibration == ()


async def test_a_field_that_was_not_searched_for_says_so() -> None:
    explanation, _ = await explained(INVOICE, ("total",), {"total": {"const": 5}})
    assert explanation.candidates == []
    assert explanation.notes == [
        "The field was not searched for: it is no field of the schema, is given, or needs a judgement."
    ]


async def test_each_input_of_the_calibration_has_a_name() -> None:
    _, copied = await explained(TABLE, ("items",), {"items": ROWS})
    place = copied.place(("items", 0, "amount"), 9.6)
    assert place is not None
    given = calibration_input(place, 1.0, "own")
    assert [name for name, *_ in calibration_terms(given)] == [*CellFeatures._fields]
