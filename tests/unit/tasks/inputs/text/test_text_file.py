"""Bytes of text-like files."""

import random

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import decode_text, looks_like_text
from tests.conftest import each_case


def decode(data: bytes, *, charset: str | None = None, limits: MediaLimits | None = None) -> str:
    return decode_text(Blob(data, "text/plain", "a.txt", "p", charset), limits or MediaLimits())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert decode("größer 漢字\n".encode(encoding)) == "größer 漢字\n"


def test_a_declared_charset_is_believed_where_it_is_not_utf8() -> None:
    assert decode("цена 5 €".encode("cp1251"), charset="windows-1251") == "цена 5 €"


def test_utf8_wins_over_a_wrong_declaration() -> None:
    assert decode("größer".encode(), charset="iso-8859-1") == "größer"


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "no-such-charset", "utf-99"])
def test_declared_charsets_that_are_none_are_passed_over(charset: str) -> None:
    assert "gr" in decode("größer als zuvor, aber über Äpfel".encode("latin-1"), charset=charset)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "gb18030", "iso2022_jp_ext"])
@pytest.mark.parametrize("ahead", range(4))
def test_characters_are_whole_in_long_texts(encoding: str, ahead: int) -> None:
    text = "a" * ahead + "請求書" * 20_000
    assert decode(text.encode(encoding), charset="gb18030") == text


def test_a_charset_is_detected() -> None:
    text = "Die Prüfung der Geräte ergab, daß für die Größe der Öfen keine Änderung nötig wäre.\n" * 5
    assert decode(text.encode("cp1252")) == text


def test_a_charset_is_detected_behind_much_ascii() -> None:
    text = "plain words only\n" * 5000 + "Die Prüfung für größere Öfen wäre nötig, daß Äpfel übrig blieben.\n" * 5
    assert decode(text.encode("cp1252")).endswith("übrig blieben.\n")


@each_case(
    "text",
    [
        "Größe",
        "naïve",
        "Café à la carte",
        "Déjà vu à l'été, où ça ? Très élégant.",
        "El niño comió piña mañana.",
        "A ação não é só do coração, também são as opções.",
        "Smörgåsbord på ön",
        "Rødgrød med fløde",
        "Müller GmbH, Hauptstraße 5, 80331 München",
        "Artikel;Preis;Menge\nSchraube;1,20 €;5\nDübel;0,80 €;20\n",
        "Total: £100.00",
        "Temp 20°C",
        "© 2024 Acme Inc. All rights reserved.",
        "It’s a “test” of text – no more.",
    ],
)
def test_a_few_western_words_are_cp1252(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


@each_case(
    ("encoding", "text"),
    [
        ("cp1250", "Zażółć gęślą jaźń. Proszę podać złoty standard, który będzie właściwy."),
        ("cp1251", "Привет, это короткий текст"),
        ("cp1251", "id;имя;цена\n1;болт;20\n2;гайка;30\n"),
        ("koi8_r", "Это русский текст для проверки кодировки."),
        ("iso8859_5", "Это русский текст для проверки кодировки."),
        ("cp866", "Это русский текст для проверки кодировки."),
        ("cp1253", "Καλημέρα κόσμε"),
        ("shift_jis", "これは日本語のテキストです。"),
        ("shift_jis", "テキスト"),
        ("euc_jp", "これは日本語のテキストです。文字コードの判定を試します。"),
        ("iso2022_jp", "これは日本語のテキストです。"),
        ("gb18030", "这是一个中文文本，用于测试编码检测。"),
        ("big5", "這是一個中文文本"),
        ("euc_kr", "안녕하세요 세계 여러분, 반갑습니다"),
    ],
)
def test_a_sentence_in_another_encoding_is_detected(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("at", [0, 9_000, -1])
def test_a_broken_byte_in_utf8_is_one_broken_character(at: int) -> None:
    lines = "Grüße aus Köln, „schöne“ Straße – 5 €.\n" * 500
    data = lines.encode()
    at = at if at >= 0 else len(data)
    text = decode(data[:at] + b"\xff" + data[at:])
    assert text.count("\ufffd") == 1
    assert text.replace("\ufffd", "") == lines


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("utf-16", "utf-16-le"), ("utf-16le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32le", "utf-32-le")],
)
def test_a_declared_wide_charset_needs_no_mark(charset: str, encoding: str) -> None:
    assert decode("Grüße aus 東京".encode(encoding), charset=charset) == "Grüße aus 東京"


def test_a_wrongly_declared_wide_charset_is_passed_over() -> None:
    assert decode("größer als".encode(), charset="utf-16") == "größer als"


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m costs \x1b$5 – é", "\x1b[1mbold\x1b[0m costs \x1b$5"])
def test_an_escape_alone_is_not_japanese(text: str) -> None:
    assert decode(text.encode()) == text


@pytest.mark.parametrize("data", [b"a\0b", bytes(range(256)), random.Random(1).randbytes(5000), b"\xff\xfe\x00\xd8"])
def test_binary_data_is_no_text(data: bytes) -> None:
    with pytest.raises(InputError, match="'a.txt' is binary data") as caught:
        decode(data)
    assert caught.value.code == "unsupported_media_type"


def test_the_number_of_characters_is_limited() -> None:
    limits = MediaLimits(text_chars=10)
    assert decode(b"x" * 10, limits=limits) == "x" * 10
    with pytest.raises(InputTooLarge, match="has 11 characters; the limit is 10"):
        decode(b"x" * 11, limits=limits)


def test_a_text_of_more_bytes_than_its_characters_could_have_is_not_decoded() -> None:
    with pytest.raises(InputTooLarge, match=r"is a text of 4.8 MB; the limit is 1000000 characters"):
        decode(b"caf\xe9 " + b"a" * 5_000_000, limits=MediaLimits(text_chars=1_000_000))


@pytest.mark.parametrize("place", [1, 16_383, 16_384, 40_000])
def test_a_sign_within_a_word_is_found_wherever_it_is(place: int) -> None:
    data = bytearray(b"a" * 50_000)
    assert decode(bytes(data[:-1]) + b"\xe9") == "a" * 49_999 + "é"
    data[place] = "\xb3".encode("cp1252")[0]
    assert decode(bytes(data)) != bytes(data).decode("cp1252")


def test_text_has_no_control_characters() -> None:
    assert looks_like_text(b"a\tb\r\n")
    assert not looks_like_text(b"a\x01b")
