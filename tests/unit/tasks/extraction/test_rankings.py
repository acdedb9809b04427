"""Rankings of people and teams."""

from typing import Any

from tests.conftest import each_case
from tests.filling import filled, pasted
from tests.lists_in_text import OR_NULL, TEXT, list_in

COUNT = {"type": "integer"}
RUNNER = {"rank": COUNT, "name": TEXT, "club": OR_NULL, "time": TEXT}
RACE = """River Run 10 km

MEN
1. Iker Olabarri (C.A. Ribera)        31:42
2. Youssef Amrani (Independent)       31:58

WOMEN
1. Maite Dunne (C.A. Ribera)          36:05
2. Olga Pell (A.D. Montealto)         36:41
"""


def runners(*lines: tuple[int, str, str, str]) -> list[dict[str, Any]]:
    return [dict(zip(RUNNER, line, strict=True)) for line in lines]


async def test_each_list_has_the_ranking_below_its_name() -> None:
    lists = {
        name: {"type": "array", "items": {"type": "object", "properties": RUNNER, "required": list(RUNNER)}}
        for name in ("women", "men")
    }
    found = await filled(pasted(f"Extract the fields.\n\n{RACE}"), **lists)
    assert found == {
        "women": runners((1, "Maite Dunne", "C.A. Ribera", "36:05"), (2, "Olga Pell", "A.D. Montealto", "36:41")),
        "men": runners((1, "Iker Olabarri", "C.A. Ribera", "31:42"), (2, "Youssef Amrani", "Independent", "31:58")),
    }


LEAGUE = {"position": COUNT, "team": TEXT, "points": COUNT}
SPRINT = {"place": COUNT, "nom": TEXT, "temps": TEXT}


@each_case(
    ("text", "columns", "row"),
    [
        ("1 Nordhof SV 29 pts\n2 Erle FC 27 pts\n", LEAGUE, (1, "Nordhof SV", 29)),
        ("1er Anouk Brel – 12,34 s\n2e Lou Sarr – 12,51 s\n", SPRINT, (1, "Anouk Brel", "12,34 s")),
    ],
)
def test_lines_of_rankings_are_written_in_several_ways(
    text: str, columns: dict[str, Any], row: tuple[Any, ...]
) -> None:
    assert tuple(list_in(text, "table", **columns)[0].values()) == row


def test_numbered_steps_are_no_ranking() -> None:
    assert not list_in("1. Open the box\n2. Take out the lamp\n", "table", position=COUNT, team=TEXT, points=COUNT)
