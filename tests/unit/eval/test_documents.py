"""The judgement of answers to papers with truths."""

from typing import Any

import pytest

from eval.documents import Answer, Tally, judged, letters

READ = letters("Rechnung 17 an Ilka Ohm, Lüneburg, 1.085,00 EUR")


def kinds(got: Any, truth: Any) -> dict[str, str]:
    return {verdict.pointer: verdict.kind for verdict in judged(got, truth, READ)}


@pytest.mark.parametrize(
    ("got", "truth", "kind"),
    [
        ("lueneburg", {"any": ["Luneburg", "Lueneburg"]}, "right"),
        ("", None, "right"),
        (1085, 1085.0, "right"),
        (True, 1, "another number"),
        (1.085, 1085, "another number"),
        ("Ilka Ohm, Lüneburg", "Ilka Ohm", "more than the value"),
        ("Ohm", "Ilka Ohm", "part of the value"),
        ("Rechnung", "Ilka Ohm", "another value"),
        (None, "Ilka Ohm", "not found"),
        (None, "Swantje Ohm", "not printed as read"),
        (None, 17, "not found"),
        ("17", None, "invented"),
    ],
)
def test_a_field_is_judged_by_what_the_paper_says(got: Any, truth: Any, kind: str) -> None:
    assert kinds({"field": got}, {"field": truth}) == {"/field": kind}


def test_rows_are_paired_by_their_right_cells() -> None:
    truth = {"rows": [{"name": "a", "count": 1}, {"name": "b", "count": 2}]}
    got = {"rows": [{"name": "b", "count": 2}, {"name": "a", "count": 3}, {"name": "c", "count": 4}]}
    assert kinds(got, truth) == {
        "/rows/1/name": "right",
        "/rows/1/count": "another number",
        "/rows/0/name": "right",
        "/rows/0/count": "right",
        "/rows/2/name": "row too many",
        "/rows/2/count": "row too many",
    }


def test_missing_rows_are_counted_by_their_cells() -> None:
    assert kinds({"rows": None}, {"rows": [{"a": 1, "b": 2}]}) == {
        "/rows/0/a": "row not found",
        "/rows/0/b": "row not found",
    }


def test_the_report_says_how_many_sure_fields_are_not_right() -> None:
    tally = Tally()
    got = {"a": "Ohm", "b": 17, "c": 3}
    answer = Answer(got, {"/a": 0.95, "/b": 0.95, "/c": 0.2}, READ, 1.5)
    tally.add("invoice", answer, list(judged(got, {"a": "Ilka Ohm", "b": 17, "c": 4}, READ)))
    report = "\n".join(tally.report())
    assert "all                             1 of    3 right: 33.3%" in report
    assert "probability of 0.9 or more: 2 fields, 50.0% of them not right" in report
    assert "calibration error 0.367" in report


def test_each_field_of_a_refused_request_is_counted() -> None:
    tally = Tally()
    tally.add("invoice", Answer({}, {}, "", 0.1, "400 refused"), list(judged({}, {"a": 1, "b": None}, "")))
    assert tally.kinds["invoice"] == {"request refused": 2}
