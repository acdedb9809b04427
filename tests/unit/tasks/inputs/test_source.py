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


def test_the_scheme_is_read_in_any_case() -> None:
    assert Source.from_reference("HTTPS://example.com", origin=Origin(PARAM)).url == "HTTPS://example.com"
    assert Source.from_reference("DATA:,x", origin=Origin(PARAM)).payload == "DATA:,x"


def test_a_data_url_is_a_payload_and_keeps_its_name_and_format() -> None:
    source = Source.from_reference("data:,x", origin=Origin(PARAM), filename="a.txt", format="txt")
    assert (source.payload, source.filename, source.format) == ("data:,x", "a.txt", "txt")


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"%PDF-1.7\n", b"RIFF\x24\0\0\0WAVE"])
def test_base64_may_stand_for_what_shows_its_type(head: bytes) -> None:
    bare = base64.b64encode(head + bytes(60)).decode()
    assert Source.from_reference(bare, origin=Origin(PARAM)).payload == bare
    wrapped = f"{bare[:40]}\n{bare[40:]}"
    assert Source.from_reference(wrapped, origin=Origin(PARAM)).payload == wrapped


def test_a_picture_shows_in_its_first_bytes_and_what_is_yet_to_be_read_does_not() -> None:
    png, pdf = (head + bytes(60) for head in (b"\x89PNG\r\n\x1a\n", b"%PDF-1.7\n"))
    assert Source(Origin(PARAM), data=png).is_picture
    assert not Source(Origin(PARAM), data=pdf).is_picture
    for data, expected in ((png, True), (pdf, False)):
        bare = base64.b64encode(data).decode()
        for payload in (bare, f"data:image/png;base64,{bare}", memoryview(f"DATA:;base64,{bare}".encode())):
            assert Source(Origin(PARAM), payload=payload).is_picture is expected
    assert not Source(Origin(PARAM), payload="data:image/png,%89PNG").is_picture
    assert not Source(Origin(PARAM), url="https://example.com/a.png").is_picture
    assert not Source(Origin(PARAM), file_id="file-1", format="image/png").is_picture


def test_base64_of_anything_may_have_a_name_or_a_format() -> None:
    assert Source.from_reference("aGVsbG8=", origin=Origin(PARAM), filename="a.txt").payload == "aGVsbG8="
    assert Source.from_reference("aGVsbG8=", origin=Origin(PARAM), format="txt").payload == "aGVsbG8="


@pytest.mark.parametrize("path", ["etc/passwd", "/etc/passwd", "../a.png", "photos/cat.jpg", "photos/cat", "aGVsbG8="])
def test_what_is_no_reference_is_told_what_is_one(path: str) -> None:
    with pytest.raises(InputError, match="should be an http") as caught:
        Source.from_reference(path, origin=Origin(PARAM))
    assert PARAM in caught.value.message
    assert f"'{path}' is none of these" in caught.value.message
    assert (caught.value.code, caught.value.param) == ("invalid_request", PARAM)


def test_a_long_reference_is_not_repeated_whole() -> None:
    with pytest.raises(InputError) as caught:
        Source.from_reference("photos/" * 1000, origin=Origin(PARAM))
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("kind", [str, lambda url: memoryview(url.encode())])
def test_a_url_has_a_largest_length(kind: Callable[[str], str | memoryview]) -> None:
    longest = "https://example.com/".ljust(LONGEST_URL, "a")
    assert Source.from_reference(kind(longest), origin=Origin(PARAM)).url == longest
    with pytest.raises(InputError, match=f"'{re.escape(PARAM)}' is a URL of 8193 characters; .* 8192") as caught:
        Source.from_reference(kind(longest + "a"), origin=Origin(PARAM))
    assert caught.value.code == "url_not_allowed"


def test_a_text_names_no_url_that_is_too_long() -> None:
    longest = "https://example.com/".ljust(LONGEST_URL, "a")
    assert urls_in(f"{longest} http://a.de") == [longest, "http://a.de"]
    assert urls_in(f"{longest}a http://a.de") == ["http://a.de"]
    assert urls_in(f"http://[2001:db8::1]/{'a' * 2 * LONGEST_URL}") == []


def test_a_data_url_without_a_comma_is_malformed() -> None:
    with pytest.raises(InputError, match="^malformed data URI: missing ',' separator$") as caught:
        Source.from_reference("data:image/png;base64", origin=Origin(PARAM))
    assert caught.value.param == PARAM


@pytest.mark.parametrize(
    ("value", "url"), [("https://a.b/c", "https://a.b/c"), ("data:,x", None), ("iVBORw0KGgo=", None)]
)
def test_a_reference_may_be_bytes_that_lie_elsewhere(value: str, url: str | None) -> None:
    view = memoryview(value.encode())
    source = Source.from_reference(view, origin=Origin(PARAM))
    assert (source.url, source.payload) == (url, None if url else view)


def test_sources_are_the_same_only_as_themselves_and_do_not_print_what_they_hold() -> None:
    source = Source(Origin(PARAM), payload="c2VjcmV0")
    assert source != Source(Origin(PARAM), payload="c2VjcmV0")
    assert "c2VjcmV0" not in repr(source)


@pytest.mark.parametrize("value", ["", "  \n"])
def test_an_empty_reference_is_named(value: str) -> None:
    with pytest.raises(InputError, match="is empty"):
        Source.from_reference(value, origin=Origin(PARAM))


@pytest.mark.parametrize(
    "value",
    ["ftp://example.com/a", "file:///etc/passwd", "javascript:alert(1)", "gopher://x", "blob:https://x"],
)
def test_other_schemes_are_not_allowed(value: str) -> None:
    with pytest.raises(InputError) as caught:
        Source.from_reference(value, origin=Origin(PARAM))
    assert caught.value.code == "url_not_allowed"
    assert value.partition(":")[0] in caught.value.message


def test_a_source_is_called_by_its_filename_else_by_its_field() -> None:
    assert Source(Origin(PARAM), payload="x", filename="receipt.pdf").label == "receipt.pdf"
    assert Source(Origin(PARAM), payload="x").label == PARAM


@each_case(
    ("text", "urls"),
    [
        ("see https://example.com/a.png.", ["https://example.com/a.png"]),
        ("(http://a.b/c?d=e&f=g#h), then", ["http://a.b/c?d=e&f=g#h"]),
        ('<a href="https://x.y/z">', ["https://x.y/z"]),
        ("[x](https://x.y/z)!", ["https://x.y/z"]),
        ("„https://x.y/ä“", ["https://x.y/ä"]),
        ("https://a.b https://c.d https://a.b", ["https://a.b", "https://c.d"]),
        ("HTTPS://A.B/C?!?", ["HTTPS://A.B/C"]),
        ("http://a.b:8080/x,y;z", ["http://a.b:8080/x,y;z"]),
        ("see http://[2001:db8::1]/x, or", ["http://[2001:db8::1]/x"]),
        ("[x](https://[::ffff:192.0.2.1]:8080)", ["https://[::ffff:192.0.2.1]:8080"]),
        ("http://[192.0.2.1]/ https://[:::] http://[x] http://[", []),
        ("ftp://a.b file:///c https:// http://.", []),
        ("no link here", []),
    ],
)
def test_urls_in_text_end_where_the_sentence_goes_on(text: str, urls: list[str]) -> None:
    assert urls_in(text) == urls
