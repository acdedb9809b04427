"""Addresses of e-mail and of the web."""

from tasks.notation.addresses import EMAIL, URI
from tests.conftest import each_case


@each_case(
    ("text", "found"),
    [
        ("Write to anna.b+c@mail.example.co.uk today", ["anna.b+c@mail.example.co.uk"]),
        ("Price @ 3.50 each", []),
    ],
)
def test_an_email_address_has_a_name_and_a_domain(text: str, found: list[str]) -> None:
    assert [one[0] for one in EMAIL.finditer(text)] == found


@each_case(
    ("text", "found"),
    [
        ("See https://example.org/a?b=1 or www.shop.example", ["https://example.org/a?b=1", "www.shop.example"]),
        ("Bakery.de, Berlin", ["Bakery.de"]),
        ("anna@example.com", []),
        ("Tel.0301 Inv.22", []),
    ],
)
def test_a_web_address_has_a_scheme_or_www_or_a_known_ending(text: str, found: list[str]) -> None:
    assert [one[0] for one in URI.finditer(text)] == found
