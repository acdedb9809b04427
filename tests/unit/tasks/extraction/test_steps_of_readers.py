"""Readers of lists look at a long page in slices of a few rows, and once, whatever number of lists is asked for."""

from collections.abc import Mapping
from typing import Any

import pytest

from models.fair_executor import all_of
from tasks.extraction import filling, listed_items, measured_lines
from tasks.extraction.fields import WantedField
from tasks.extraction.filling import LINE_READERS
from tasks.extraction.names import names_of
from tasks.extraction.passages import Passage, passages_to_search
from tasks.extraction.words_on_page import place_words
from tasks.read_table import ReadCell, ReadTable
from tasks.schema.paths import JsonPath
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of, calls_of_slices

TEXT: Mapping[str, Any] = {"type": "string"}
NUMBER: Mapping[str, Any] = {"type": "number"}
LISTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "jobs": dict.fromkeys(("start_date", "end_date", "employer", "title"), TEXT),
    "languages": dict.fromkeys(("language", "level"), TEXT),
    "medication": dict.fromkeys(("medicine", "dose", "frequency"), TEXT),
    "ingredients": dict.fromkeys(("quantity", "unit", "name", "note", "group"), TEXT),
    "results": {"home": TEXT, "away": TEXT, "home_score": NUMBER, "away_score": NUMBER},
    "prescription": dict.fromkeys(("name", "strength", "form", "dosage"), TEXT),
    "legs": dict.fromkeys(("flight_number", "from", "to", "departure_time", "arrival_time"), TEXT),
    "ranking": {"rank": NUMBER, "name": TEXT, "time": TEXT},
    "sessions": dict.fromkeys(("day", "start", "end", "title", "room"), TEXT),
    "services": {"service": TEXT, "price": NUMBER},
    "books": dict.fromkeys(("title", "publisher", "year"), TEXT),
    "tenants": dict.fromkeys(("name", "passport"), TEXT),
    "action_items": dict.fromkeys(("owner", "task", "due"), TEXT),
    "areas": dict.fromkeys(("area", "wind", "sea", "weather"), TEXT),
    "meters": {"medium": TEXT, "reading": NUMBER, "unit": TEXT},
}
MOST_CALLS = 12_000
"""Largest number of functions that a slice may call, which take some milliseconds."""


def wanted_in(name: str) -> list[WantedField]:
    return [
        WantedField((name, own), schema, names_of((name, own), schema), lambda _: True, in_list=True)
        for own, schema in LISTS[name].items()
    ]


def placed(text: str) -> Passage:
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    all_of(place_words(passage))
    return passage


@pytest.mark.deep
@each_case(
    "line",
    [
        "a",
        "Languages: English (native), Gaelic",
        "Languages",
        "03/2018 - today Site Engineer, Braeburn Ltd, Perth",
        "Ramipril 5 mg 1-0-1 twice daily",
        "1. Amoxicillin 500 mg tablets 20 pcs S: take one daily for 7 days",
        "250 g flour, sifted",
        "Rovers 2 – 1 Holmstead FC",
        "1. Iker Olabarri 31:42",
        "LH 123 FRA Frankfurt 10:30 → JFK New York 18:20",
        "Tap repair  .....  from 150.00 €",
        "Mon 12° 18° 30 % 12 km/h",
        "Kettle   Toaster   Mixer\n12.00 €   13.00 €   14.00 €",
        "Ruth to write to the council by 20 October.",
        "10:45–11:30  Sand and fire  Kiln room",
        "Kleinau 04.06.2026 an 09:05 Gleis 12, Wagen 7, Plätze 61+62",
        "Ole Marsch, passport 76543210, and Ida Tann, passport 01234567",
        "Her book The Slow Liquid (Tern Press, 2006) won a prize.",
        "NORTH BAY   Wind: SW 4 or 5   Sea: slight   Weather: drizzle",
        "Meters: electricity 48,112 kWh, water 377.4 m³.",
    ],
)
def test_no_step_of_a_reader_is_long(line: str) -> None:
    passage = placed(f"{line}\n" * 1_000)
    lists = [wanted_in(name) for name in LISTS]
    longest = {reader.__name__: max(calls_of_slices(reader(passage, lists))) for reader in LINE_READERS}
    assert {name: calls for name, calls in longest.items() if calls > MOST_CALLS} == {}


@pytest.mark.deep
@pytest.mark.parametrize("sign", ["I speak ", "Ramipril abc ", "from May 2019 ", "Ruth to ", "Ole Marsch, passport "])
def test_sentences_are_searched_in_slices(sign: str) -> None:
    passage = placed(sign * 5_000)
    for reader in LINE_READERS:
        assert max(calls_of_slices(reader(passage, [wanted_in(name) for name in LISTS]))) < MOST_CALLS


def test_many_lists_of_measured_lines_read_the_rows_once() -> None:
    passage = placed("250 g flour, sifted\n" * 300)

    def calls(count: int) -> int:
        lists = [wanted_in("ingredients")] * count
        return calls_of(lambda: list(measured_lines.measured_lines(passage, lists)))

    assert calls(10) < 3 * calls(1)


def test_many_lists_look_for_their_names_among_the_same_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    passage = placed("\n".join(f"Name{number}\nvalue" for number in range(300)))
    names = names_of(("languages",), {"type": "array"})
    assert all_of(listed_items.named_list(passage, names)) == []
    monkeypatch.setattr(listed_items, "segments_of_row", None)
    assert all_of(listed_items.named_list(passage, names_of(("topics",), {"type": "array"}))) == []


def test_of_many_pieces_with_the_name_of_a_list_the_surest_come_first_and_few_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    block_at = listed_items._block_at

    def counted(*given: Any) -> Any:
        tried.append(1)
        return block_at(*given)

    monkeypatch.setattr(listed_items, "_block_at", counted)
    passage = placed("Idiomas\n\n\n\n\n\n" * 300 + "Languages\nEnglish\nGaelic")
    items = all_of(listed_items.named_list(passage, names_of(("languages",), {"type": "array"})))
    assert ([one.text for one in items], len(tried)) == (["English", "Gaelic"], 1)
    del tried[:]
    names = names_of(("people",), {"type": "array"})
    assert all_of(listed_items.named_list(placed("People" + "\n" * 9), names)) == []
    assert all_of(listed_items.named_list(placed(("People" + "\n" * 9) * 300), names)) == []
    assert len(tried) == 1 + listed_items.MAX_TRIED


def test_signs_between_items_are_found_in_one_pass() -> None:
    assert listed_items.commas_in("a, b (c, d; e), 1,5 • f (g") == [1, 14, 20]
    short, long = (listed_items.commas_in("a, " * count) for count in (10, 10_000))
    assert (len(short), len(long)) == (10, 10_000)


def test_no_more_tables_are_read_than_are_compared_with_the_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[ReadTable] = []

    def reader(*_: Any) -> Any:
        for _number in range(100_000):
            read.append(table)
            yield table

    table = ReadTable([[ReadCell("a"), ReadCell("b")]] * 3, is_exact=False)
    monkeypatch.setattr(filling, "LINE_READERS", (reader, reader))
    fields: dict[JsonPath, list[WantedField]] = {("jobs",): wanted_in("jobs")}
    assert all_of(filling.tables_for([entry_of("scraper", {"text": "a"})], fields))
    assert len(read) < 1_000
