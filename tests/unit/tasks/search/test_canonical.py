"""When two URLs are one page."""

import pytest

from tasks.search.failover import canonical, is_on
from tests.conftest import each_case

PAGE = "https://example.com/a/b?id=7"


@each_case(
    "url",
    [
        "http://example.com/a/b?id=7",
        "https://www.example.com/a/b?id=7",
        "https://EXAMPLE.com:443/a/b/?id=7",
        "https://example.com./a/b?id=7#part",
        "https://example.com/a/b?utm_source=x&id=7&utm_medium=y",
        "https://m.example.com/a/b?id=7",
        "https://example.com/a/b/amp?id=7",
        "https://example.com/amp/a/b?id=7",
        "https://example.com/a/b/index.html?id=7",
        "https://example.com/a/%62?id=7",
    ],
)
def test_spellings_of_one_page_are_equal(url: str) -> None:
    assert canonical(url) == canonical(PAGE)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a/b?id=8",
        "https://example.com/a/B?id=7",
        "https://example.com:8443/a/b?id=7",
        "https://docs.example.com/a/b?id=7",
        "https://example.com/ample/a/b?id=7",
    ],
)
def test_other_pages_are_not(url: str) -> None:
    assert canonical(url) != canonical(PAGE)


@pytest.mark.parametrize(
    ("url", "is_there"),
    [
        ("https://arxiv.org/abs/1", True),
        ("https://notarxiv.org/abs/1", False),
        ("https://arxiv.org.evil.example/", False),
        ("https://evil.example/arxiv.org", False),
    ],
)
def test_a_site_is_a_host_and_those_below_it(url: str, is_there: bool) -> None:
    assert is_on(url, "arxiv.org") is is_there
