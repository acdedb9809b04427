"""What a form's controls show, as Chromium draws them."""

from tasks.inputs.text import html_text
from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case


def shown(html: str) -> list[str]:
    """Return the words of a page, those that are unsure with a question mark."""
    words = html_text.html_to_markdown(f"<!doctype html><body>{html}").split()
    return [plain_form(word) + "?" * (UNSURE in word) for word in words]


@each_case(
    ("html", "words"),
    [
        ("<input type=file value=a>", []),
        ("<input type=COLOR value=a>", []),
        ("<input type=range value=5>", []),
        ("<input type=HIDDEN value=a>", []),
        ("<input type=image value=a>", []),
        ("<input type=date value=a>", []),
        ("<input type=date value=2024-13-01>", []),
        ("<input type=date value=2024-05-03>", ["2024-05-03"]),
        ("<input type=date value=2026-02-31>", []),
        ("<input type=week value=2025-W53>", []),
        ("<input type=week value=2026-W53>", ["2026-W53"]),
        ("<input type=month value=0000-01>", []),
        ("<input type=month value=2026-01>", ["2026-01"]),
        ("<input type=number value=1e400>", []),
        ("<input value='1&#10;20'>", ["120"]),
        ("<input type=time value=12:30>", ["12:30"]),
        ("<input type=datetime-local value=2024-05-03T12:30>", ["2024-05-03T12:30"]),
        ("<input type=number value='120 EUR'>", []),
        ("<input type=number value=-1.5e3>", ["-1.5e3"]),
        ("<input type=email value=a>", ["a"]),
        ("<input value=a>", ["a"]),
        ("<input type=Radio checked>a", ["☒", "a"]),
        ("<input type=radio name=n checked>a <input type=radio name=n checked>b", ["☐", "a", "☒", "b"]),
        ("<input type=radio name=n checked>a <input type=radio name=m checked>b", ["☒", "a", "☒", "b"]),
    ],
)
def test_an_input_shows_the_values_of_its_type(html: str, words: list[str]) -> None:
    assert shown(html) == words


@each_case(
    ("html", "words"),
    [
        ("<select><option>aa<option selected>bb</select>", ["aa?", "bb"]),
        ("<select><option selected>aa<option selected>bb</select>", ["aa?", "bb"]),
        ("<select><option selected>aa<option selected>aa</select>", ["aa?", "aa"]),
        ("<select size=1><option>aa<option>bb</select>", ["aa?", "bb?"]),
        ("<select size=2><option>aa<option>bb</select>", ["aa", "bb"]),
        ("<select size=2><option>aa<option>bb<option>cc</select>", ["aa", "bb", "cc?"]),
        ("<select size=2><option>aa<option>bb<option selected>cc</select>", ["aa?", "bb?", "cc?"]),
        ("<select multiple><option>aa<option selected>bb</select>", ["aa", "bb"]),
        (f"<select multiple>{'<option>aa' * 5}</select>", ["aa", "aa", "aa", "aa", "aa?"]),
        ("<select multiple size=1><option>aa<option>bb</select>", ["aa", "bb?"]),
        ("<select><option selected label=bb>aa</select>", ["bb"]),
        ("<select><option selected label>aa</select>", ["aa"]),
    ],
)
def test_options_out_of_view_are_unsure(html: str, words: list[str]) -> None:
    assert shown(html) == words
