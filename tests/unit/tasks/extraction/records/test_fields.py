"""The names of lists and the headings above records."""

import pytest

from tasks.extraction.names import names_of
from tasks.extraction.records.fields import SAME_NOUN, heading_likeness


def likeness(name: str, heading: str) -> float:
    return heading_likeness(names_of((name,), {"type": "array"}), heading)


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("avisos", "Avisos em vigor (4)"),
        ("pastTalks", "Earlier talks"),
        ("policies", "Your policy in brief"),
        ("leistung", "Unsere Leistungen im Winter"),
        ("lezione", "Prossime lezioni"),
        ("lecciones", "Nuestra lección de hoy"),
        ("szkolenia", "Ukończone szkolenie w maju"),
        ("utbildning", "Alla utbildningar i vår"),
    ],
)
def test_a_heading_may_have_the_noun_of_a_list_in_the_singular_or_the_plural(name: str, heading: str) -> None:
    assert likeness(name, heading) >= SAME_NOUN


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("employees", "Employer details"),
        ("persons", "Personal details"),
        ("policies", "Police details"),
        ("stations", "Stationery details"),
        ("insurers", "Insured details"),
        ("trainings", "Trainer details"),
    ],
)
def test_other_words_of_the_same_beginning_are_not_the_noun_of_a_list(name: str, heading: str) -> None:
    assert likeness(name, heading) < SAME_NOUN
