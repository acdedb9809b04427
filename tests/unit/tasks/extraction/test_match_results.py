"""Results of matches, one a line."""

from typing import Any

from tests.conftest import each_case
from tests.lists_in_text import OR_NULL, TEXT, list_in

COUNT = {"type": "integer"}
COUNT_OR_NULL = {"type": ["integer", "null"]}
LEAGUE = """Kestrel League – Matchday 14

Alderbury Rovers 2 – 1 Holmstead FC   (HT 1–0)   Att. 3,412
  Goals: Nkemelu 23', Barr 71' / Osgood 88'
Fenwick Town 0 – 0 Corran United   (HT 0–0)
  Attendance: 1,908
"""


def matches(text: str, **columns: Any) -> Any:
    return list_in(text, "matches", **columns)


def test_a_line_gives_both_teams_their_goals_and_who_came() -> None:
    found = matches(LEAGUE, home=TEXT, away=TEXT, homeGoals=COUNT, awayGoals=COUNT, attendance=COUNT_OR_NULL)
    keys = ("home", "away", "homeGoals", "awayGoals", "attendance")
    assert [tuple(one[key] for key in keys) for one in found] == [
        ("Alderbury Rovers", "Holmstead FC", 2, 1, 3412),
        ("Fenwick Town", "Corran United", 0, 0, 1908),
    ]


@each_case(
    ("line", "home", "away", "score"),
    [
        ("SV Lindau – TuS Harde 3:1 (2:0)", "SV Lindau", "TuS Harde", "3:1"),
        ("20:45 Étoile Brune 0-2 Racing Morvan", "Étoile Brune", "Racing Morvan", "0-2"),
        ("1. FC Auental 4:4 Blau-Weiß 09", "1. FC Auental", "Blau-Weiß 09", "4:4"),
    ],
)
def test_results_are_written_in_several_ways(line: str, home: str, away: str, score: str) -> None:
    found = matches(f"Results\n\n{line}\nFC Erle 1:0 SC Birke\n", home_team=TEXT, away_team=TEXT, score=OR_NULL)
    assert found[0] == {"home_team": home, "away_team": away, "score": score}


def test_a_single_line_like_a_result_is_no_list() -> None:
    assert not matches("Open Monday 9 - 12 and Friday\nPlease ring twice.\n", home=TEXT, away=TEXT)
