"""Entries with a period, as in a CV, from texts and from pages."""

from typing import Any

import pytest

from tests.conftest import each_case
from tests.lists_in_text import OR_NULL, TEXT, list_in
from tests.unit.tasks.extraction.test_headed_rows import items_on

INTEGER = {"type": "integer"}
INTEGER_OR_NULL = {"type": ["integer", "null"]}
MONTH = {"type": "string", "description": "YYYY-MM"}
JOB = {"start": TEXT, "end": OR_NULL, "title": TEXT, "employer": TEXT, "city": OR_NULL}
ENGLISH = """Oona Marsh

Work experience
04/2017 - present   Glazier, Kestrel Windows Ltd, Derby
01/2011 - 03/2017   Apprentice, Marlow & Sons, Leek

Education
2008 - 2010   Diploma in Glazing, Derby College
"""
FRENCH = """Parcours professionnel

mai 2019 – aujourd'hui
Vitrière
Maison Aubrac, Nantes

juin 2014 – avril 2019
Apprentie
Verrerie du Lac, Annecy
"""
ITALIAN = """ESPERIENZE LAVORATIVE
Vetraio, Vetreria Brenta S.r.l. (2018 - in corso)
Garzone, Officine Piave S.p.A. (2011 - 2018)

ISTRUZIONE
Diploma, Istituto Galilei (2006 - 2011)
"""


def job(start: str, end: str | None, title: str, employer: str, city: str | None) -> dict[str, Any]:
    return {"start": start, "end": end, "title": title, "employer": employer, "city": city}


@each_case(
    ("text", "found"),
    [
        (
            ENGLISH,
            [
                job("04/2017", None, "Glazier", "Kestrel Windows Ltd", "Derby"),
                job("01/2011", "03/2017", "Apprentice", "Marlow & Sons", "Leek"),
            ],
        ),
        (
            FRENCH,
            [
                job("mai 2019", None, "Vitrière", "Maison Aubrac", "Nantes"),
                job("juin 2014", "avril 2019", "Apprentie", "Verrerie du Lac", "Annecy"),
            ],
        ),
        (
            ITALIAN,
            [
                job("2018", None, "Vetraio", "Vetreria Brenta S.r.l.", None),
                job("2011", "2018", "Garzone", "Officine Piave S.p.A.", None),
            ],
        ),
    ],
)
def test_the_jobs_of_a_cv_are_its_entries_with_a_period(text: str, found: Any) -> None:
    assert list_in(text, "jobs", **JOB) == found


def test_a_list_of_courses_has_the_entries_of_their_section() -> None:
    school = {"von": TEXT, "bis": TEXT, "abschluss": TEXT, "schule": TEXT}
    assert list_in(ENGLISH, "ausbildung", **school) == [
        {"von": "2008", "bis": "2010", "abschluss": "Diploma in Glazing", "schule": "Derby College"}
    ]


def test_a_month_has_the_form_that_the_description_demands() -> None:
    jobs = list_in(FRENCH, "jobs", **{**JOB, "start": MONTH})
    assert [one["start"] for one in jobs] == ["2019-05", "2014-06"]


def test_a_period_may_stand_in_two_lines_of_its_own_column() -> None:
    lines = [(0, 30, "2019-06"), (300, 30, "Glazier"), (0, 60, "today"), (300, 60, "Kestrel Windows Ltd, Derby")]
    lines += [(0, 120, "2011-01"), (300, 120, "Apprentice"), (0, 150, "2019-05"), (300, 150, "Marlow & Sons, Leek")]
    assert items_on((0, 0, "Career"), *lines, **JOB) == [
        job("2019-06", None, "Glazier", "Kestrel Windows Ltd", "Derby"),
        job("2011-01", "2019-05", "Apprentice", "Marlow & Sons", "Leek"),
    ]


@each_case(
    ("text", "found"),
    [
        (
            "I was a glazier from May 2011 to June 2014 at Marlow Windows in Leek, and since July 2014 I work\n"
            "for Kestrel Glass in Derby. I like both of them very much.",
            [("2011-05", "2014-06", "Marlow Windows", "Leek"), ("2014-07", None, "Kestrel Glass", "Derby")],
        ),
        (
            "De mayo de 2011 a junio de 2014 trabajé en Vidrios Soria, y desde julio de 2014 trabajo en Cristal Duero\n"
            "en Zamora, donde estoy muy contento.",
            [("2011-05", "2014-06", "Vidrios Soria", None), ("2014-07", None, "Cristal Duero", "Zamora")],
        ),
    ],
)
def test_sentences_tell_a_period_and_where_somebody_worked(text: str, found: Any) -> None:
    month = {"type": "string", "description": "YYYY-MM"}
    month_or_null = {"type": ["string", "null"], "description": "YYYY-MM"}
    columns = {"start": month, "end": month_or_null, "employer": TEXT, "city": OR_NULL}
    jobs = list_in(f"Application\n\n{text}\n", "jobs", **columns)
    assert [tuple(one.values()) for one in jobs] == found


PERIOD = {"type": "object", "properties": {"start": TEXT, "end": OR_NULL}, "required": ["start", "end"]}
SIDEBAR = (
    *(
        (0, 30 * at, text)
        for at, text in enumerate(("Oona Marsh", "14 Mill Lane", "Leek ST13 5AA", "Skills", "Lead work"))
    ),
    *((500, 10 + 30 * at, text) for at, text in enumerate(("Experience", "Glazier", "Kestrel Windows Ltd, Derby"))),
    (900, 40, "04/2017 - present"),
    (540, 130, "• Fitted 300 windows"),
    (540, 160, "• Led a team of four"),
)


def test_what_stands_in_another_column_of_the_page_is_no_part_of_an_entry() -> None:
    found = items_on(*SIDEBAR, start=TEXT, end=OR_NULL, title=TEXT, employer=TEXT)
    assert found == [{"start": "04/2017", "end": None, "title": "Glazier", "employer": "Kestrel Windows Ltd"}]


def test_an_entry_has_objects_and_texts_within_it() -> None:
    found = items_on(*SIDEBAR, title=TEXT, employer=TEXT, period=PERIOD, highlights={"type": "array", "items": TEXT})
    assert found == [
        {
            "title": "Glazier",
            "employer": "Kestrel Windows Ltd",
            "period": {"start": "04/2017", "end": None},
            "highlights": ["Fitted 300 windows", "Led a team of four"],
        }
    ]


def test_an_entry_says_its_grade_and_whether_it_goes_on() -> None:
    text = "Ausbildung\n2008 - 2010   Maschinenbau (Diplom), TU Leek, Note: 1,8\nseit 2011   Promotion, TU Leek\n"
    grade = {"type": ["string", "null"]}
    found = list_in(text, "ausbildung", von=TEXT, bis=OR_NULL, abschluss=TEXT, einrichtung=TEXT, note=grade)
    assert found == [
        {"von": "2008", "bis": "2010", "abschluss": "Maschinenbau (Diplom)", "einrichtung": "TU Leek", "note": "1,8"},
        {"von": "2011", "bis": None, "abschluss": "Promotion", "einrichtung": "TU Leek", "note": None},
    ]


TITLES_ABOVE = """Work experience
Glazier
Kestrel Windows Ltd, Derby
04/2017 - present
- Cut glass for forty shops

Apprentice
Marlow & Sons, Leek
01/2011 - 03/2017

Education
Diploma in Glazing
Derby College
2008 - 2010
"""


def test_the_lines_above_a_period_belong_to_it_where_they_are_above_the_first_one() -> None:
    assert list_in(TITLES_ABOVE, "jobs", **JOB) == [
        job("04/2017", None, "Glazier", "Kestrel Windows Ltd", "Derby"),
        job("01/2011", "03/2017", "Apprentice", "Marlow & Sons", "Leek"),
    ]


def test_a_period_is_copied_as_it_is_printed() -> None:
    found = list_in(ENGLISH, "experience", period=TEXT, role=TEXT, company=TEXT)
    assert [one["period"] for one in found] == ["04/2017 - present", "01/2011 - 03/2017"]


def test_the_year_of_a_school_is_the_one_in_which_it_ended() -> None:
    found = list_in(ENGLISH, "education", degree=TEXT, institution=TEXT, year={"type": ["integer", "null"]})
    assert found == [{"degree": "Diploma in Glazing", "institution": "Derby College", "year": 2010}]


def test_a_superscript_beside_a_year_is_no_month() -> None:
    text = (
        "Work experience\n2017 - ² 2019  Glazier, Kestrel Windows Ltd, Derby\n2019 - 2021 Fitter, Marlow & Sons, Leek\n"
    )
    assert list_in(text, "jobs", start=MONTH, end=MONTH, title=TEXT)


POSTS = [
    *("Positions", "", "Lecturer in Botany   since 2019", "Fenwick Institute, Alderby, England"),
    *("Field Assistant   2015 - 2018", "Garden Supplies Ltd, Morlaas, France", ""),
    *("Education", "", "MSc, Botany   2014", "University of Fenwick", "BA, Music   2010", "Universidade de Ovar"),
]


def test_an_institution_may_be_an_employer_if_the_name_of_the_list_says_so() -> None:
    posts = list_in(
        "\n".join(POSTS),
        "positions",
        title=TEXT,
        institution=TEXT,
        location=TEXT,
        startYear=INTEGER,
        endYear=INTEGER_OR_NULL,
    )
    assert [tuple(post.values()) for post in posts] == [
        ("Lecturer in Botany", "Fenwick Institute", "Alderby, England", 2019, None),
        ("Field Assistant", "Garden Supplies Ltd", "Morlaas, France", 2015, 2018),
    ]


def test_the_city_of_an_employer_has_no_country() -> None:
    posts = list_in("\n".join(POSTS), "positions", title=TEXT, employer=TEXT, city=TEXT, start=TEXT, end=OR_NULL)
    assert [post["city"] for post in posts] == ["Alderby", "Morlaas"]


def test_the_year_of_a_degree_may_end_its_line() -> None:
    degrees = list_in("\n".join(POSTS), "degrees", degree=TEXT, institution=TEXT, year=INTEGER)
    assert [tuple(degree.values()) for degree in degrees] == [
        ("MSc, Botany", "University of Fenwick", 2014),
        ("BA, Music", "Universidade de Ovar", 2010),
    ]


@pytest.mark.parametrize("name", ["professional_qualifications", "workshops", "career_education"])
def test_a_list_with_degrees_has_no_jobs_whatever_its_name_begins_with(name: str) -> None:
    degrees = list_in("\n".join(POSTS), name, degree=TEXT, institution=TEXT, year=INTEGER)
    assert [degree["degree"] for degree in degrees] == ["MSc, Botany", "BA, Music"]


OFFICES = [("Bell Tuner", "Ostrand Mill", "March 2019"), ("Clerk", "Hallam Archive", "May 2014")]
TEXT_OF_OFFICES = "Bell Tuner, Ostrand Mill\nMarch 2019 - April 2021\n\nClerk, Hallam Archive\nMay 2014 - June 2018\n"


@each_case(
    "text",
    [
        f"## Work\n\n{TEXT_OF_OFFICES}\n## Hobbies\n\nChess\n",
        f"**Work**\n\n{TEXT_OF_OFFICES}\n**Hobbies**\n\nChess\n",
        f"Ida Tann\n3 Quay Street, Ostrand\n\n{TEXT_OF_OFFICES}\nChess\n",
        f"Ida Tann\n\n{TEXT_OF_OFFICES}".replace("2021\n\n", "2021\n"),
        "# Ida Tann\n\n## Work\n\n### "
        + TEXT_OF_OFFICES.replace("\n\n", "\n\n- Led a team\n\n### ")
        + "\n## Hobbies\n",
        "Ida Tann\n\nMarch 2019 - April 2021\nBell Tuner, Ostrand Mill\n\nMay 2014 - June 2018\nClerk, Hallam Archive",
    ],
)
def test_a_line_with_only_a_period_belongs_to_the_lines_of_its_block(text: str) -> None:
    found = list_in(text, "jobs", title=OR_NULL, employer=OR_NULL, start=OR_NULL, end=OR_NULL)
    assert [(one["title"], one["employer"], one["start"]) for one in found] == OFFICES
