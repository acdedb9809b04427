"""Works, awards, studies and posts that the sentences of a biography mention with their years."""

from typing import Any

from tests.conftest import each_case
from tests.lists_in_text import OR_NULL, TEXT, list_in

INTEGER = {"type": "integer"}
LIFE = """Oona Marsh

Oona Marsh was born in Leek in 1971. She read Glass Science at the University of Derwent, graduating BSc in 1992, and
took her PhD at Pennine University in 1997. From 1998 to 2004 she was with Kestrel & Vane Glass in Stoke, which she
left as a senior chemist; before that came one year (1997-1998) as a laboratory assistant at Marlow Optics. Her first
book, The Slow Liquid (Tern Press, 2006), received the Selwood Prize 2007. A second, Sand and Fire, appeared in 2011.
"""
LEBEN = """Oona Marsch

Oona Marsch debütierte 2003 mit dem Roman »Der Schmelzer«. Es folgten die Gedichte »Zwölf Fenster« (2008) und der Roman
»Scherben« (2013), für den sie mit dem Harzer Literaturpreis 2014 ausgezeichnet wurde. 2018 erhielt sie das Stipendium
der Villa Sandweg. Ihr neuer Roman »Bleiglas« erscheint am 4. Mai 2026.
"""


@each_case(
    ("text", "name", "columns", "found"),
    [
        (LIFE, "books", {"title": TEXT, "year": INTEGER}, [("The Slow Liquid", 2006), ("Sand and Fire", 2011)]),
        (LIFE, "awards", {"name": TEXT, "year": INTEGER}, [("Selwood Prize", 2007)]),
        (
            LIFE,
            "education",
            {"degree": TEXT, "institution": TEXT, "year": INTEGER},
            [("BSc", "University of Derwent", 1992), ("PhD", "Pennine University", 1997)],
        ),
        (
            LIFE,
            "previousRoles",
            {"position": OR_NULL, "employer": TEXT, "from": INTEGER, "to": INTEGER},
            [
                ("senior chemist", "Kestrel & Vane Glass", 1998, 2004),
                ("laboratory assistant", "Marlow Optics", 1997, 1998),
            ],
        ),
        (
            LEBEN,
            "werke",
            {"titel": TEXT, "gattung": {"type": "string", "enum": ["Roman", "Gedichte"]}, "jahr": INTEGER},
            [("Der Schmelzer", "Roman", 2003), ("Zwölf Fenster", "Gedichte", 2008), ("Scherben", "Roman", 2013)],
        ),
        (
            LEBEN,
            "auszeichnungen",
            {"name": TEXT, "jahr": INTEGER},
            [("Harzer Literaturpreis", 2014), ("Stipendium der Villa Sandweg", 2018)],
        ),
    ],
)
def test_each_clause_of_a_biography_is_in_the_list_of_its_topic(text: str, name: str, columns: Any, found: Any) -> None:
    assert [tuple(one.values()) for one in list_in(text, name, **columns)] == found


def test_a_choice_is_the_one_whose_word_the_clause_has() -> None:
    text = (
        "Marsh\n\nNach einer Glaserlehre in Goslar (1989–1992) studierte sie von 1993 bis 1998 Chemie in Halle. Von "
        "1999 bis 2006 arbeitete sie als Lektorin im Verlag Sandweg in Leipzig."
    )
    choice = {"type": "string", "enum": ["Lehre", "Studium", "Lektorat"]}
    found = list_in(text, "stationen", art=choice, ort=TEXT, von=INTEGER, bis=INTEGER)
    assert [tuple(one.values()) for one in found] == [
        ("Lehre", "Goslar", 1989, 1992),
        ("Studium", "Halle", 1993, 1998),
        ("Lektorat", "Leipzig", 1999, 2006),
    ]


def test_the_lines_of_a_table_are_no_clauses() -> None:
    assert not list_in("Orders\n\nBolts (2019) 14\nNuts (2020) 12\n", "books", title=TEXT, year=INTEGER)
