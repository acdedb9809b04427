"""Programmes: lines of times, titles and places."""

from typing import Any

from tests.conftest import each_case
from tests.lists_in_text import OR_NULL, TEXT, list_in

DAY = {"type": "string", "format": "date"}
YES_OR_NO = {"type": "boolean"}
KIND = {"type": "string", "enum": ["talk", "workshop", "unknown"]}
SESSION = {
    "date": DAY,
    "starts": TEXT,
    "ends": TEXT,
    "title": TEXT,
    "room": TEXT,
    "cancelled": YES_OR_NO,
    "kind": KIND,
}
PROGRAMME = """Days of Glass, 14 March 2026

Friday
9:30–10:15   Sand and fire            Kiln room
Talk: Ada Brandl
10:45–12:00  CANCELLED: Blowing       Yard
Saturday
11:00–12:30  Cut your own pane        Workbench
Workshop, 8 places
"""


def test_lines_of_a_programme_are_its_items() -> None:
    assert [tuple(one.values()) for one in list_in(PROGRAMME, "sessions", **SESSION)] == [
        ("2026-03-13", "9:30", "10:15", "Sand and fire", "Kiln room", False, "talk"),
        ("2026-03-13", "10:45", "12:00", "Blowing", "Yard", True, "unknown"),
        ("2026-03-14", "11:00", "12:30", "Cut your own pane", "Workbench", False, "workshop"),
    ]


@each_case(
    ("text", "columns", "row"),
    [
        (
            "03.04.2026 10:40 Augenklinik\n17.04.2026 08:15 Hausarzt\n",
            {"datum": DAY, "uhrzeit": TEXT, "bezeichnung": TEXT},
            ("2026-04-03", "10:40", "Augenklinik"),
        ),
        (
            "20h00 Ouverture · Grande scène\n21h30 Duo Mauve · Petite salle\n",
            {"heure": TEXT, "titre": TEXT, "lieu": OR_NULL},
            ("20h00", "Ouverture", "Grande scène"),
        ),
    ],
)
def test_lines_have_a_day_or_one_time_alone(text: str, columns: dict[str, Any], row: tuple[Any, ...]) -> None:
    assert tuple(list_in(text, "table", **columns)[0].values()) == row


def test_a_single_time_is_no_programme() -> None:
    assert not list_in("Opening hours\n9:30–18:00 Monday to Friday\n", "sessions", **SESSION)
