"""Legs of a journey by air or rail."""

from typing import Any

from tests.lists_in_text import OR_NULL, TEXT, list_in

DATE = {"type": "string", "format": "date"}
CODE = {"type": "string", "description": "IATA code"}
FLIGHTS = """Outbound – Sat 14 Feb 2026
NV 418   Gothenburg (GOT) 07:25  →  Munich (MUC) 09:30   Duration 2h 05m   Economy Light
Return – Sun 22 Feb 2026
NV 423   Munich (MUC) 20:10  →  Gothenburg (GOT) 22:20   Duration 2h 10m   Economy Light
"""
TRAINS = """Reiseplan am 03.05.2026

ICE 578
ab 08:14 Kassel-Wilhelmshöhe
an 10:02 Hamburg Hbf

RE 21
ab 10:31 Hamburg Hbf
an 11:20 Lübeck Hbf
"""


def legs(text: str, **columns: Any) -> Any:
    return list_in(text, "segments", **columns)


def test_a_flight_has_its_airports_times_and_the_day_above_it() -> None:
    columns = {"flight": TEXT, "from": CODE, "to": CODE, "date": DATE, "departure": TEXT, "arrival": TEXT}
    assert [tuple(one.values()) for one in legs(FLIGHTS, **columns)] == [
        ("NV 418", "GOT", "MUC", "2026-02-14", "07:25", "09:30"),
        ("NV 423", "MUC", "GOT", "2026-02-22", "20:10", "22:20"),
    ]


def test_a_place_beside_a_time_is_a_departure_if_the_time_has_a_field_of_its_own() -> None:
    columns = {"flight": TEXT, "departure": TEXT, "departure_time": TEXT, "arrival": TEXT, "arrival_time": TEXT}
    found = legs(FLIGHTS, **columns)
    assert [(one["departure"], one["arrival"]) for one in found] == [("Gothenburg", "Munich"), ("Munich", "Gothenburg")]


def test_the_lines_below_a_train_have_its_stations_and_times() -> None:
    columns = {"train": TEXT, "von": TEXT, "nach": TEXT, "abfahrt": TEXT, "ankunft": OR_NULL}
    assert [tuple(one.values()) for one in legs(TRAINS, **columns)] == [
        ("ICE 578", "Kassel-Wilhelmshöhe", "Hamburg Hbf", "08:14", "10:02"),
        ("RE 21", "Hamburg Hbf", "Lübeck Hbf", "10:31", "11:20"),
    ]


def test_codes_without_two_times_are_no_flights() -> None:
    columns = {"flight": TEXT, "from": TEXT, "to": TEXT, "departure": TEXT, "arrival": TEXT}
    assert not legs("Booking LS 6201, 12 Dock Row, MK40 2AB\nCall 08:00 to have it changed.\n", **columns)
