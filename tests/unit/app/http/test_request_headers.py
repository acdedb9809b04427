"""Headers that switch options on take the usual words, and no others."""

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from app.errors import BadRequest
from app.http.request import ZDR_HEADER, asks_to_be_forgotten, check_switches, is_on, permits_traces, skips_planning


def with_headers(*headers: tuple[str, str]) -> Request:
    return Request({"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers]})


@pytest.mark.parametrize("word", ["true", "True", "1", "yes", "ON", " true "])
def test_words_for_true_switch_an_option_on(word: str) -> None:
    request = with_headers((ZDR_HEADER, word))
    check_switches(request.headers)
    assert is_on(request, ZDR_HEADER)
    assert asks_to_be_forgotten(request)
    assert not permits_traces(request.headers)


@pytest.mark.parametrize("word", ["false", "0", "No", "off", ""])
def test_words_for_false_are_like_no_header(word: str) -> None:
    request = with_headers((ZDR_HEADER, word))
    check_switches(request.headers)
    assert not asks_to_be_forgotten(request)
    assert permits_traces(request.headers)
    assert permits_traces(Headers())


@pytest.mark.parametrize(
    "name",
    [
        ZDR_HEADER, "x-interfaze-bypass-cache", "x-bypass-cache", "x-interfaze-bypass-moa", "x-bypass-moe",
        "x-interfaze-progress", "x-show-additional-info",
    ],
)  # fmt: skip
@pytest.mark.parametrize("word", ["ture", "2", "true, true", "y"])
def test_any_other_word_is_refused_by_name(name: str, word: str) -> None:
    with pytest.raises(BadRequest, match=f"Header '{name}': should be 'true' or 'false', not '{word}'") as refusal:
        check_switches(with_headers((name, word)).headers)
    assert refusal.value.param == name


def test_a_misspelt_wish_for_privacy_keeps_the_content_out_of_traces() -> None:
    assert not permits_traces(with_headers((ZDR_HEADER, "ture")).headers)


def test_a_header_that_is_repeated_is_on_if_one_of_them_says_so() -> None:
    request = with_headers(("x-bypass-moe", "false"), ("x-bypass-moe", "true"))
    assert skips_planning(request)


def test_other_headers_may_say_anything() -> None:
    check_switches(with_headers(("x-interfaze-mood", "ture"), ("cookie", "a=b")).headers)
