"""Results of matches, one a line."""

from typing import Any

from tests.conftest import each_case
from tests.lists_in_text import OR_NULL, TEXT, list_in
from tests.unit.tasks.extraction.test_headed_rows import items_on

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


def test_a_match_has_the_day_above_it_and_no_score_if_it_was_called_off() -> None:
    text = (
        "Sat 29 Mar 2025\n\n14:30 Rovers 2 2-0 Erle United 1\n12:00 FC Birke 3 1-0 SV Lindau 2\n"
        "15:00 SV Harde 1 PPD FC Holm 12\n\nTue 1 Apr 2025\n\n19:45 Corran 2 1-3 Holmstead 4\n"
    )
    day = {"type": "string", "format": "date"}
    columns = {"home": TEXT, "away": TEXT, "homeGoals": COUNT_OR_NULL, "awayGoals": COUNT_OR_NULL}
    found = matches(text, date=day, kickoff=TEXT, **columns, postponed={"type": "boolean"})
    assert [tuple(one.values()) for one in found] == [
        ("2025-03-29", "14:30", "Rovers 2", "Erle United 1", 2, 0, False),
        ("2025-03-29", "12:00", "FC Birke 3", "SV Lindau 2", 1, 0, False),
        ("2025-03-29", "15:00", "SV Harde 1", "FC Holm 12", None, None, True),
        ("2025-04-01", "19:45", "Corran 2", "Holmstead 4", 1, 3, False),
    ]


def test_a_field_for_the_kick_off_is_not_for_a_match_that_is_called_off_and_a_long_line_below_is_none() -> None:
    text = (
        "Results\n\n15:30 Rovers 2 – 1 Holmstead FC\n14:00 FC Erle 1 - 0 SC Birke\n\n" + "The season goes on and " * 20
    )
    found = matches(text, home=TEXT, away=TEXT, kick_off=TEXT)
    assert [tuple(one.values()) for one in found] == [
        ("Rovers", "Holmstead FC", "15:30"),
        ("FC Erle", "SC Birke", "14:00"),
    ]


def test_a_word_of_many_figures_below_a_result_is_searched_in_linear_time() -> None:
    """Quadratic, it would take minutes in a single call, during which no other thread runs."""
    text = f"{LEAGUE}{'1,' * 50_000}\nErle Park 3 – 1 Dane City"
    found = matches(text, home=TEXT, away=TEXT, homeGoals=COUNT, awayGoals=COUNT, attendance=COUNT_OR_NULL)
    assert [one["home"] for one in found] == ["Alderbury Rovers", "Fenwick Town", "Erle Park"]


SIDES: dict[str, Any] = {"gospodarz": TEXT, "gosc": TEXT, "gole_gospodarz": COUNT, "gole_gosc": COUNT, "status": TEXT}


def teams_on(*rows: tuple[str, int], gaps: tuple[int, int]) -> Any:
    """The matches of teams below each other, with `gaps` between the teams of a match and between matches."""
    tops = [sum(gaps[number % 2] for number in range(at)) for at in range(len(rows))]
    lines = [
        line
        for top, (team, score) in zip(tops, rows, strict=True)
        for line in ((300, top, team), (1000, top, str(score)))
    ]
    states = [(0, top + gaps[0] // 2, "FT") for top in tops[::2]]
    return [tuple(one.values()) for one in items_on(*lines, *states, **SIDES)]


TEAMS = (("Erle United", 3), ("GKS Warta", 1), ("FC Birke", 0), ("Lindau", 2), ("Corran", 1), ("Holm Town", 1))


def test_teams_below_each_other_are_matches() -> None:
    assert teams_on(*TEAMS, gaps=(60, 120)) == [
        ("Erle United", "GKS Warta", 3, 1, "FT"),
        ("FC Birke", "Lindau", 0, 2, "FT"),
        ("Corran", "Holm Town", 1, 1, "FT"),
    ]


def test_teams_at_equal_distances_are_no_matches() -> None:
    assert all(away not in dict(TEAMS) for _, away, *_ in teams_on(*TEAMS, gaps=(90, 90)))
