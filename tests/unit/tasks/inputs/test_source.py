"""How a reference in a request becomes a source, and which URLs a text names."""

import base64
import re
from collections.abc import Callable

import pytest

from tasks.errors import InputError
from tasks.inputs.source import LONGEST_URL, Origin, Source, urls_in
from tests.conftest import each_case

PARAM = "messages[0].content[1].image_url.url"


def test_an_http_url_is_a_url() -> None:
    source = Source.from_reference(" https://example.com/a.png ", origin=Origin(PARAM))
    assert (source.param, source.url, source.payload) == (PARAM, "https://example.com/a.png", None)


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n"])
def test_base64_may_stand_for_what_shows_its_type(head: bytes) -> None:
    bare = base64.b64encode(head + bytes(60)).decode()
    assert Source.from_reference(bare, origin=Origin(PARAM)).payload == bare
    wrapped = f"{bare[:40]}\n{bare[40:]}"
    assert Source.from_reference(wrapped, origin=Origin(PARAM)).payload == wrapped


@pytest.mark.parametrize("path", ["/etc/passwd", "photos/cat.jpg", "aGVsbG8="])
def test_what_is_no_reference_is_told_what_is_one(path: str) -> None:
    with pytest.raises(InputError, match="should be an http") as caught:
        Source.from_reference(path, origin=Origin(PARAM))
    assert PARAM in caught.value.message
    assert f"'{path}' is none of these" in caught.value.message
    assert (caught.value.code, caught.value.param) == ("invalid_request", PARAM)


@pytest.mark.parametrize("kind", [str, lambda url: memoryview(url.encode())])
def test_a_url_has_a_largest_length(kind: Callable[[str], str | memoryview]) -> None:
    longest = "https://example.com/".ljust(LONGEST_URL, "a")
    assert Source.from_reference(kind(longest), origin=Origin(PARAM)).url == longest
    with pytest.raises(InputError, match=f"'{re.escape(PARAM)}' is a URL of 8193 characters; .* 8192") as caught:
        Source.from_reference(kind(longest + "a"), origin=Origin(PARAM))
    assert caught.value.code == "url_not_allowed"


def test_a_data_url_without_a_comma_is_malformed() -> None:
    with pytest.raises(InputError, match="^malformed data URI: missing ',' separator$") as caught:
        Source.from_reference("data:image/png;base64", origin=Origin(PARAM))
    assert caught.value.param == PARAM


@pytest.mark.parametrize("value", ["", "  \n"])
def test_an_empty_reference_is_named(value: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        Source.from_reference(value, origin=Origin(PARAM))


@pytest.mark.parametrize("value", ["ftp://example.com/a", "file:///etc/passwd", "javascript:alert(1)"])
def test_other_schemes_are_not_allowed(value: str) -> None:
    with pytest.raises(InputError) as caught:
        Source.from_reference(value, origin=Origin(PARAM))
    assert caught.value.code == "url_not_allowed"
    assert value.partition(":")[0] in caught.value.message


@each_case(
    ("text", "urls"),
    [
        ("(http://a.b/c?d=e&f=g#h), then", ["http://a.b/c?d=e&f=g#h"]),
        ('<a href="https://x.y/z">', ["https://x.y/z"]),
        ("[x](https://x.y/z)!", ["https://x.y/z"]),
        ("„https://x.y/ä“", ["https://x.y/ä"]),
        ("https://a.b https://c.d https://a.b", ["https://a.b", "https://c.d"]),
        ("HTTPS://A.B/C?!?", ["HTTPS://A.B/C"]),
        ("see http://[2001:db8::1]/x, or", ["http://[2001:db8::1]/x"]),
        ("[x](https://[::ffff:192.0.2.1]:8080)", ["https://[::ffff:192.0.2.1]:8080"]),
        ("http://[192.0.2.1]/ https://[:::] http://[x] http://[", []),
        ("ftp://a.b file:///c https:// http://.", []),
        ("请看https://a.b/c。谢谢，【http://d.e/f】", ["https://a.b/c", "http://d.e/f"]),
        ("https://a.b/cを読んで、https://d.eとhttps://f.g", ["https://a.b/c", "https://d.e", "https://f.g"]),
        (
            "https://ja.a.b/wiki/東京 https://ja.a.b/wiki/佐々木?q=かな",
            ["https://ja.a.b/wiki/東京", "https://ja.a.b/wiki/佐々木?q=かな"],
        ),
        ("(http://a.b/wiki/C_(x)_d_(y)).", ["http://a.b/wiki/C_(x)_d_(y)"]),
        ("http://a.b/c(d e)", ["http://a.b/c"]),
    ],
)
def test_urls_in_text_end_where_the_sentence_goes_on(text: str, urls: list[str]) -> None:
    assert urls_in(text) == urls
