"""Texts whose encoding is declared, detected, or neither."""

from itertools import product

import pytest

from tasks.inputs.text.charset import decode, looks_like_text
from tests.conftest import each_case


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert decode("größer 漢字\n".encode(encoding)) == "größer 漢字\n"


def test_utf8_wins_over_a_wrong_declaration() -> None:
    assert decode("größer".encode(), label="iso-8859-1") == "größer"


@pytest.mark.parametrize("at", [0, 9_000, -1])
def test_a_broken_byte_in_utf8_is_one_broken_character(at: int) -> None:
    lines = "Grüße aus Köln, „schöne“ Straße – 5 €.\n" * 500
    data = lines.encode()
    at = at if at >= 0 else len(data)
    text = decode(data[:at] + b"\xff" + data[at:])
    assert text.count("\ufffd") == 1
    assert text.replace("\ufffd", "") == lines


def test_text_has_no_control_characters() -> None:
    assert looks_like_text(b"a\tb\r\n")
    assert not looks_like_text(b"a\x01b")


@each_case(
    ("label", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "Summe: 7,20 € – it’s"),
        ("iso-8859-9", "cp1254", "İğne 3 €"),
        ("iso-8859-11", "cp874", "ราคา 20 บาท…"),
        ("Shift_JIS", "cp932", "①髙橋㈱ ～"),
        ('"windows-31j"', "cp932", "﨑"),
        ("gb2312", "gb18030", "朱镕基 㐀"),
        ("gbk", "gb18030", "镕"),
        ("big5", "big5hkscs", "嘅 價錢"),
        ("ks_c_5601-1987", "cp949", "똠방각하"),
        ("euc-kr", "cp949", "펲시콜라"),
        ("iso-8859-8-i", "iso8859_8", "מחיר 12"),
        ("koi8-ru", "koi8_u", "Ціна"),
        ("ibm866", "cp866", "Цена"),
        ("x-mac-cyrillic", "mac_cyrillic", "Цена"),
        ("macintosh", "mac_roman", "Größe"),
        ("iso-8859-15", "iso8859_15", "5 €"),
        ("cp850", "cp850", "Größe"),
        ("iso-2022-jp", "iso2022_jp_ext", "価格ｶﾅ 12"),
        ("_iso-2022-jp$ESC", "iso2022_jp", "価格"),
        ("cp50220", "iso2022_jp", "価格"),
    ],
)
def test_a_label_means_what_programs_use_under_it(label: str, encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), label) == text


@pytest.mark.parametrize("label", ["us-ascii", "utf-8", "replacement", "x-unknown", None])
def test_a_label_that_says_nothing_or_is_wrong_leaves_the_text_to_be_detected(label: str | None) -> None:
    text = "Счёт на оплату за март, всего к оплате"
    assert decode(text.encode("cp1251"), label) == text


TABLES = {
    "cp932": ("商品,数量,単価\n", "髙橋商店", "これは見積書です。ご確認のほどよろしくお願いいたします。"),
    "euc_jp": ("商品,数量,単価\n", "田中商店", "これは見積書です。ご確認のほどよろしくお願いいたします。"),
    "gbk": ("商品,数量,单价\n", "上海贸易公司", "这是一份报价单,请您核对以后尽快回复我们。"),
    "big5hkscs": ("商品,數量,單價\n", "台北貿易公司", "這是一份報價單,請您核對以後盡快回覆我們。"),
    "cp949": ("상품,수량,단가\n", "서울무역", "이것은 견적서입니다. 확인하신 후 회신해 주시기 바랍니다."),
    "cp1251": ("Товар;Количество;Цена\n", "ООО Ласточка", "Это коммерческое предложение, просим вас ответить."),
    "cp1253": ("Είδος;Ποσότητα;Τιμή\n", "Παπαδόπουλος", "Αυτή είναι μια προσφορά, παρακαλούμε απαντήστε μας."),
    "cp1255": ("פריט,כמות,מחיר\n", "חברת הדרום", "זוהי הצעת מחיר, נא להשיב לנו בהקדם האפשרי."),
    "cp1256": ("الصنف,الكمية,السعر\n", "شركة النور", "هذا عرض أسعار، يرجى الرد علينا في أقرب وقت ممكن."),
    "cp874": ("สินค้า,จำนวน,ราคา\n", "บริษัทไทย", "นี่คือใบเสนอราคา กรุณาตอบกลับโดยเร็วที่สุด"),
    "cp1250": ("Zboží;Množství;Cena\n", "Dvořák a synové", "Toto je nabídka. Prosíme, odpovězte nám co nejdříve."),
    "cp1254": ("Ürün;Sayı;Fiyat\n", "Doğan İnşaat", "Bu bir fiyat teklifidir, lütfen bize yanıt veriniz."),
    "cp1252": (
        "Artikel;Stückzahl;Preis (€)\n",
        "Müller & Söhne",
        "Dies ist ein Angebot, wir freuen uns über Rückmeldung.",
    ),
}
"""A table's heading, a name and a sentence by the encoding of a language."""


def texts(heading: str, name: str, sentence: str) -> dict[str, str]:
    sign = heading.rstrip("\n").replace(";", ",").count(",") and (";" if ";" in heading else ",")
    rows = "".join(f"{name}{sign}{number}{sign}{number * 37}.50\n" for number in range(1, 40))
    return {
        "a heading and a row": f"{heading}{name}{sign}3{sign}12.50\n",
        "a table": heading + rows,
        "a row after thousands in English": "item,count,price\n" * 4_000 + f"{name},3,12.50\n{sentence}\n",
        "a sentence": sentence,
        "many sentences": f"{sentence}\n" * 100,
        "lines of a log": "".join(
            f"2026-01-{day:02d} INFO order=58{day:02d} note={sentence}\n" for day in range(1, 29)
        ),
    }


@each_case(("encoding", "kind"), product(TABLES, texts(*TABLES["cp932"])))
def test_texts_of_thirteen_encodings_are_detected(encoding: str, kind: str) -> None:
    text = texts(*TABLES[encoding])[kind]
    assert decode(text.encode(encoding)) == text
