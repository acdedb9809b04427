"""Full-width figures and unseen characters are read as a reader reads them."""

from typing import Any

from tasks.extraction.common_forms import in_common_forms
from tasks.extraction.doubts import DOUBTFUL
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import DAY, NUMBER, TEXT, read_field


def line(text: str) -> SourceLine:
    return SourceLine(tuple(text.split()), "/text", {}, written=text)


@each_case(
    ("text", "plain"),
    [
        ("合計：１２，３４５円", "合計：12,345円"),
        ("甲，乙１００，丙", "甲，乙100，丙"),
        ("２０２６／０５／０３　１２：３０", "2026/05/03　12:30"),
        ("率５．５％ ￥１００", "率5.5% ¥100"),
        ("DE89\u200b3704 47\u00ad11", "DE893704 4711"),
        ("\u202e00.021\u202c", "\u202e00.021\u202c"),
        ("Total: \u206899.00 EUR\u2069 \u2066A-1\u2069 \u202a7\u202c", "Total: 99.00 EUR A-1 7"),
        ("שלום \u206899.00\u2069", "שלום \u206899.00\u2069"),
        ("Größe 5 m²", "Größe 5 m²"),
        ("1\ufe0f2.50 4\U000e00397 1\u20632", "12.50 47 12"),
        ("‐50.00 ‑5 ‒7 —9 －８ (‑€ 3)", "-50.00 -5 –7 –9 -8 (-€ 3)"),
        ("2019—2024 A‑12 Total — 5 well‐known", "2019—2024 A‑12 Total — 5 well‐known"),
        ("Tоtаl: 9120.00", "Total: 9120.00"),
        ("Москва, ООО «Ромашка» АТ123", "Москва, ООО «Ромашка» АТ123"),
        ("5 μm ΔT TNFα IТ-отдел", "5 μm ΔT TNFα IT-отдел"),
        ("Тоtal (Ꭲotal): ꓲBAN IΒΑN", "Total (Total): lBAN IBAN"),
        ("info@pаypal.com www.pаypal.com pаy.me@x.com АB12", "info@pаypal.com www.pаypal.com pаy.me@x.com АB12"),
    ],
)
def test_figures_are_written_in_their_common_form(text: str, plain: str) -> None:
    [changed] = in_common_forms([line(text)])
    assert changed.written == plain
    assert " ".join(changed.words) == " ".join(plain.split())


def test_each_word_keeps_its_place() -> None:
    bounds: Any = ({"top_left": {"x": 0}}, {"top_left": {"x": 1}}, {"top_left": {"x": 2}})
    source = SourceLine(("Ａ１", "\u200b", "b"), "/text", {}, bounds=bounds)
    [changed] = in_common_forms([source])
    assert changed.words == ("A1", "\u200b", "b")
    assert changed.bounds == bounds


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("合計　￥１，０００", "合計", NUMBER, 1000),
        ("Total: １２０．５０ EUR", "total", NUMBER, 120.5),
        ("Total: 9\u200b20.00 EUR", "total", NUMBER, 920),
        ("Date: ２０２６／０５／０３", "date", DAY, "2026-05-03"),
        ("Invoice number: ４７１１", "invoice_number", TEXT, "4711"),
        ("Balance: ‑50.00 EUR", "balance", NUMBER, -50),
        ("Tоtаl: 9120.00 EUR\nDeposit: 3.00 EUR", "total", NUMBER, 9120),
    ],
)
async def test_a_field_has_the_value_that_a_reader_sees(text: str, name: str, schema: Any, value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value


@each_case(
    "text",
    [
        "Tоtаl: 9120.00 EUR\nDeposit: 3.00 EUR",
        "Tоtаl      Deposit\n9120.00    3.00",
        "Deposit: 3.00 EUR\nTо\u200btаl        9120.00 EUR",
    ],
)
async def test_a_value_beside_a_word_of_several_scripts_is_not_sure(text: str) -> None:
    found = await read_field(text, "total", NUMBER)
    assert found.value == 9120
    assert 0 < found.probability <= DOUBTFUL
    assert (await read_field(text, "deposit", NUMBER)).value == 3
