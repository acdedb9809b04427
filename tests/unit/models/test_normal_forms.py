"""Unicode's normal forms, and that nobody can make them take long."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.normal_forms import Form, normalized

_FORMS: list[Form] = ["NFC", "NFD", "NFKC", "NFKD"]


@pytest.mark.parametrize("form", _FORMS)
@given(text=st.text(st.characters(codec="utf-8"), min_size=65))
def test_texts_are_normalised_as_python_does(form: Form, text: str) -> None:
    assert normalized(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize(
    "marks",
    ["\N{COMBINING ACUTE ACCENT}\N{COMBINING DOT BELOW}", "\N{TIBETAN VOWEL SIGN II}", "\uff9e\N{COMBINING DOT BELOW}"],
)
def test_of_many_marks_the_first_are_kept(form: Form, marks: str) -> None:
    text = f"a{marks * 500_000}b"
    assert normalized(form, text) == unicodedata.normalize(form, f"a{(marks * 30)[:30]}b")
