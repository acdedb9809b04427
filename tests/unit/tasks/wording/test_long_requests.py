"""Requests whose reading once took minutes, because a pattern was tried again at each blank or opening sign."""

import pytest

from tasks.code_sandbox import code_in
from tasks.errors import InputError
from tasks.scraper import fields_asked
from tasks.wording.gui_elements import Wording
from tasks.wording.named_languages import target_in
from tasks.wording.object_phrases import listed_in
from tasks.wording.translation import parse_order

BLANKS = " " * 1_000_000


def test_a_list_of_objects_may_have_a_megabyte_of_blanks() -> None:
    assert listed_in(f"cars{BLANKS}x") == ["cars x"]


def test_the_fields_of_a_page_may_stand_a_megabyte_of_blanks_apart() -> None:
    assert fields_asked(f"Extract the title{BLANKS}and price from this page") in (("title", "price"), ())


def test_a_language_may_be_named_behind_a_megabyte_of_blanks() -> None:
    found = target_in(f"Translate{BLANKS}into French")
    assert found is not None
    assert found.tags == ("fr",)


def test_a_text_to_translate_may_begin_with_an_open_quotation_and_a_megabyte_of_blanks() -> None:
    assert parse_order(f"Translate into French: «{BLANKS}x").text == f"«{BLANKS}x"


def test_a_request_to_scrape_may_be_a_megabyte_of_blanks() -> None:
    assert fields_asked(f"Extract{BLANKS}x") == ()


@pytest.mark.deep
def test_an_open_quotation_of_an_element_may_hold_a_megabyte_of_blanks() -> None:
    assert not Wording.of(f"Click on «{BLANKS}x").quoted


@pytest.mark.parametrize("blank", ["\n", " ", "\r"])
def test_a_megabyte_of_blanks_may_follow_the_word_for_fields(blank: str) -> None:
    assert fields_asked(f"https://a.example/ fields{blank * 1_000_000}.") == ()
    assert fields_asked(f"https://a.example/ fields{blank * 1_000_000}title, url") == ("title", "url")


def test_an_open_fence_of_code_may_hold_a_megabyte_of_blanks() -> None:
    text = "Run this:\n```" + "\t" * 999_900 + "x"
    assert code_in(text) == text


def test_json_may_be_ten_thousand_levels_deep() -> None:
    with pytest.raises(InputError, match="needs the language"):
        parse_order('{"a":' * 10_000)
