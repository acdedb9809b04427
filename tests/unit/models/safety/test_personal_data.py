"""Personal data is found in the notations of many countries, and what only looks like it survives."""

import random
import re
import string

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from models.safety import national_ids
from models.safety.personal_data import Kind, find
from tests.conftest import each_case

FOUND: dict[Kind, list[str]] = {
    # What is marked is found, just as far as the marks go.
    "EMAIL": [
        "Write to <<john.doe@example.org>>.",
        "<<o'brien+news@mail.example.co.uk>>, please",
        "mailto:<<jürgen.müller@bücher.example>>?subject=Hi",
        "(<<a@b.io>>)",
        "https://example.org/?to=<<john%40example.org>>&x=1",
        r"<<john\_doe@example.org>> in Markdown",
        "我的邮箱是<<zhang@qq.com>>。",
        "Adresse : <<jean＠exemple.fr>>",
        "<<user@xn--bcher-kva.example>>",
        "<<juan@empresa.com.py>>, <<ion@firma.md>>",
        "<<ann@example.com>>(work), <<b@example.de>>(privat, bis 5), <<c@example.org>>(he/him)",
        r'"from":"Ann \u003c<<ann\u0040example.com>>\u003e\n"',
    ],
    "PHONE": [
        "Ring <<+49 170 1234567>> now",
        "<<+49 (0)30 901820>>",
        "<<+44 20 7946 0958>>, or <<+44 7911 123456>>",
        "<<+1 (212) 736-5000>>",
        "<<+7 (495) 123-45-67>>",
        "from abroad <<0049 170 1234567>>",
        "<<＋４９ １７０ １２３４５６７>>",
        "tel:<<+1-201-555-0123>>",
        "<<(212) 736-5000>>",
        "Phone: <<2127365000>>",
        "phone number is <<212 736 5000>>",
        "Call me at <<555 0123 45>>",
        '"phone_number": "<<5551234567>>"',
        "Tel. <<030/123 456 78>>",
        "<<0170 1234567>> ist meine",
        "<<06 12 34 56 78>>",
        "<<(02) 9876 5432>>",
        "<<03-1234-5678>>",
        "<<8 (495) 123-45-67>>",
        "我的手机号码是<<13812345678>>。",
        "הטלפון: <<0312345678>>",
        "order 12, <<0170 1234567>>",
        r"{'p': '<<+49\xa0170\xa01234567>>'}",
    ],
    "CARD": [
        "<<4111 1111 1111 1111>>",
        "<<5500-0000-0000-0004>>",
        "<<3782 822463 10005>>, Amex",
        "<<6011 1111 1111 1117>> 12/29 123",
        "card number: <<36227206271667>>",
        "order 12,<<4111111111111111>>,2027",
        "<<٤١١١ ١١١١ ١١١١ ١١١١>>",
        "order number <<4242 4242 4242 4242>>",
        "<<4242\u00a04242\u00a04242\u00a04242>>",
    ],
    "IBAN": [
        "<<DE89 3704 0044 0532 0130 00>>",
        "<<GB29 NWBK 6016 1331 9268 19>> is mine",
        "<<FR1420041010050500013M02606>>",
        "<<MT84MALT011000012345MTLCAST001S>>",
        "iban:<<es9121000418450200051332>>",
        "<<PL61 1090 1014 0000 0712 1981 2874>> 12 EUR",
        "<<DE89-3704-0044-0532-0130-00>>",
    ],
    "ID": [
        "<<536-22-1234>>",
        "SSN: <<536221234>>",
        "ITIN <<912-70-1234>>",
        "NINO <<AB 12 34 56 C>>",
        "NHS number: <<943 476 5919>>",
        "SIN <<130 692 544>>",
        "DNI <<12345678Z>>",
        "NIE <<X-1234567-L>>",
        "<<RSSMRA85T10A562S>>",
        "<<2 55 08 14 168 025 38>>",
        "Steuer-ID: <<86 095 742 719>>",
        "BSN: <<111222333>>",
        "<<85.07.30-033.28>>",
        "PESEL <<44051401359>>",
        "personnummer: <<811218-9876>>",
        "<<131052-308T>>",
        "CPR-nr. <<131052-3082>>",
        "<<756.9217.0769.85>>",
        "<<529.982.247-25>>",
        "CPF: <<52998224725>>",
        "<<BOXW310820HNERXN09>>",
        "<<20-12345678-6>>",
        "RUT <<12.345.678-5>>",
        "Aadhaar: <<2341 2341 2346>>",
        "<<11010519491231002X>>",
        "<<1-2345-67890-12-1>>",
        "T.C. Kimlik No: <<10000000146>>",
        "ID number: <<8001015009087>>",
        "TFN: <<123 456 782>>",
        "rodné číslo <<736028/5163>>",
        "CNP <<1800101221144>>",
        "PPS: <<1234567T>>",
        "NIF: <<123456789>>",
        "マイナンバー: <<1234 5678 9018>>",
    ],
}
SURVIVES = [
    # Orders, articles, shipments.
    "order number 4500123456",
    "Order 4111111111111111",
    "tracking 1Z999AA10123456784",
    "part no. 123-45-6789-0",
    "serial number 536-22-1234",
    "NDC 0777-3105-02",
    "我的订单号是4111111111111111",
    # Codes with check digits of their own.
    "ISBN 978-3-16-148410-0",
    "ISBN 9783161484100",
    "IMEI 490154203237518",
    "doi:10.1000/182",
    # Amounts.
    "12 345 678 EUR",
    "+12 345 678 users",
    "grew by +20 000 000 000",
    "2023 2024 2025 2026",
    # Times and dates.
    "2026-03-14 10:30:00",
    "1773484200000",
    "08:30 15:00",
    # Versions, addresses of machines, hashes.
    "192.168.100.200",
    "550e8400-e29b-41d4-a716-446655440000",
    "lodash@4.17.21",
    "git@github.com:openfaze/openfaze.git",
    "icon@2x.png",
    "@app.route",
    "x@w.to(device)",
    r"[\u4e00-\u9fa5]{6,20}",
    r"\x34\x31 \u0031\u0032-\u0030\u0033",
    "https://example.org/status/4111111111111111",
    "https://example.org/a/0170-1234567/b",
    # Places, lists, words.
    "-33.868820 151.209290",
    "N 52° 31.2004', E 13° 24.2970'",
    "Cambridge, MA 02139-4307",
    "score 21-14, 15-21, 21-19",
    # Wrong check digits, numbers that nobody has.
    "4111 1111 1111 1112",
    "DE89 3704 0044 0532 0130 01",
    "DE8937040044053201300",
    "GB 12 34 56 C",
    "12345678A",
    "+49 170 12",
    "+999 123 4567890",
]


def _marked(text: str) -> str:
    for span in reversed(find(text)):
        text = f"{text[: span.start]}<<{text[span.start : span.end]}>>{text[span.end :]}"
    return text


@each_case(("kind", "marked"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_personal_data_is_found_as_far_as_it_goes(kind: Kind, marked: str) -> None:
    text = re.sub("<<|>>", "", marked)
    assert _marked(text) == marked
    assert {span.kind for span in find(text)} == {kind}


@each_case("text", SURVIVES)
def test_what_only_looks_like_it_survives(text: str) -> None:
    assert _marked(f"We have {text} here.") == f"We have {text} here."


@pytest.mark.parametrize("kind", [PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE])
@pytest.mark.parametrize("form", [PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164])
def test_numbers_of_all_countries_are_found_with_their_codes(kind: int, form: int) -> None:
    examples = [phonenumbers.example_number_for_type(region, kind) for region in phonenumbers.SUPPORTED_REGIONS]
    numbers = [phonenumbers.format_number(example, form) for example in examples if example]
    assert len(numbers) > 200
    assert [number for number in numbers if _marked(f"Call {number} now") != f"Call <<{number}>> now"] == []


def test_each_is_found_beside_others() -> None:
    text = "Ann, 536-22-1234, ann@example.org, +49 170 1234567, 4111 1111 1111 1111, DE89370400440532013000, order 12."
    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [
        ("ID", "536-22-1234"),
        ("EMAIL", "ann@example.org"),
        ("PHONE", "+49 170 1234567"),
        ("CARD", "4111 1111 1111 1111"),
        ("IBAN", "DE89370400440532013000"),
    ]


def test_a_word_just_before_the_text_says_what_a_number_is() -> None:
    assert find("2127365000") == []
    assert [span.kind for span in find("2127365000", "Phone: ")] == ["PHONE"]
    assert find("4111111111111111", "order no. ") == []
    # Not across an empty line.
    assert find("2127365000", "Phone:\n\n") == []


def test_what_is_broken_over_two_lines_is_not_found() -> None:
    assert find("4111 1111\n1111 1111") == []
    assert find("john@\nexample.org") == []


def test_random_numbers_survive() -> None:
    """Bare ones of the usual lengths, without a word that says what they are."""
    rng = random.Random(7)
    for length in (8, 9, 10, 11, 12, 13, 14, 17, 20):
        numbers = ["".join([rng.choice("123456789"), *rng.choices(string.digits, k=length - 1)]) for _ in range(300)]
        hits = [number for number in numbers if find(f"We have {number} here.")]
        assert len(hits) <= 3, hits


def test_hostile_texts_are_gone_through_once() -> None:
    """Nothing here backtracks: else this would not come to an end."""
    for text in ("1234 5678 9012 " * 4000, "a" * 100_000, "@" * 20_000, "+" * 50_000, "0 " * 50_000, "a.b-c_" * 20_000):
        find(text)


def test_without_python_stdnum_only_numbers_of_a_unique_form_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(national_ids, "find_spec", lambda name: None)
    monkeypatch.setattr(national_ids, "_RECOGNISED", national_ids.recognised())
    numbers = ["536-22-1234", "AB 12 34 56 C", "RSSMRA85T10A562S", "BSN: 111222333"]
    assert [bool(find(number)) for number in numbers] == [True, True, False, False]
