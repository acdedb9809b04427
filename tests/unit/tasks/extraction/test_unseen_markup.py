"""What a reader of rendered Markdown does not see gives no field, or none that is sure."""

from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field


@each_case(
    ("text", "value"),
    [
        ("Invoice: 77\n<!-- Total: 999.00 -->\nTotal: 10.00", 10),
        ("Invoice: 77\n<!--\nTotal: 999.00\n-->\nTotal: 10.00", 10),
        ("Invoice: 77 <!-- Total: 999.00 --> <!-- x -->\nOther text", None),
        ("Invoice: 77 <!-- x -->\nTotal: 10.00 <!-- or 999.00 -->", 10),
        ("Invoice: 77 -->\nTotal: 10.00 <!-- without an end", 10),
    ],
)
async def test_a_comment_of_markdown_has_no_value(text: str, value: Any) -> None:
    assert (await read_field(text, "total", NUMBER)).value == value


@each_case(
    "text",
    [
        'Invoice: 77\n\n[x]: http://a.example "Total: 99.00"',
        "Invoice: 77\n\n[Total: 99.00]: #",
        "Invoice: 77\n\n[Total: 99.00\n]: #",
        "Invoice: 77\n\n[//]: # (Total: 99.00)",
        'Invoice: 77\n\n[x]:\n  http://a.example\n  "a\nTotal: 99.00"',
        'See [a](http://a.example "Total: 99.00"), invoice 77',
        'See [a](http://a.example\n"\nTotal: 99.00\n"), invoice 77',
        'Invoice: 77\n\n[a\\]]: http://a.example "Total: 99.00"',
        'See [a]( "Total: 99.00"), invoice 77',
        'See [a](b(c) "Total: 99.00"), invoice 77',
        "See [a][Total: 99.00], invoice 77\n\n[Total: 99.00]: #",
        "![Total: 99.00](a.png)\n\nInvoice: 77",
        "![a\n<!-- x -->\nTotal: 99.00](a.png)\n\nInvoice: 77",
        "![a [b](c)\nTotal: 99.00](a.png)\n\nInvoice: 77",
        '![a](a.png "b\nTotal: 99.00\n")\n\nInvoice: 77',
        '<img alt="Total: 99.00">\n\nInvoice: 77',
        '<a\ntitle="\nTotal: 99.00\n">a</a>\n\nInvoice: 77',
        '<a title="a > b\nTotal: 99.00">a</a>\n\nInvoice: 77',
        "<div hidden>\n\nTotal: 99.00\n\n</div>\n\nInvoice: 77",
        '<div\nstyle="display: none">\n\nTotal: 99.00\n\n</div>\n\nInvoice: 77',
        "<template>\n\nTotal: 99.00\n\n</template>\n\nInvoice: 77",
        "<? Total: 99.00 ?>\n\nInvoice: 77",
        "<!X Total: 99.00>\n\nInvoice: 77",
        "Invoice: 77\n\n```text Total: 99.00\ncode\n```",
        "Invoice: 77\n\n<!-- note\n\nTotal: 99.00",
        "Invoice: 77\n\n<!-- a --> <!-- note\nTotal: 99.00",
        "Invoice: 77\n\n~~Old figures\nTotal: 99.00\nno longer valid~~",
        "Invoice: 77\n\n<del>\nTotal: 99.00\n</del>",
        "Invoice: 77\n\n<s>\n\nTotal: 99.00\n\n</s>",
        "| a | b |\n|---|---|\n| Invoice | 77 | Total: 99.00 |",
        "a | b\n---|---\nInvoice | 77 | Total: 99.00",
        "Invoice: 77\n\n[^1]: Total: 99.00",
        "Invoice: 77[^1]\n\n[^1]: Paid\n[^1]: Total: 99.00",
        "Invoice: 77\n\n[^1]: Paid\n\n    Total: 99.00",
        "Invoice: 77\nTotal: &#57;9.00",
        "Invoice: 77\nTotal: &#45;99.00",
        "Invoice: 77\nTotal: 12&comma;500.00",
        "Invoice: 77\nTotal: 12&nbsp;500.00",
        "Invoice: 77\nTotal: 9**9**9.00",
        "Invoice: 77\nTotal: **9**99.00",
        "Invoice: 77\nTotal: 9<b>9</b>9.00",
        "---\ntitle: Invoice 77\nTotal: 99.00\n---\n\nThank you",
        "---\n\nTotal: 99.00\n...\n\nInvoice: 77",
        "+++\ntotal = 99.00\n+++\n\nInvoice: 77",
        "Invoice: 77\n\n*[HTML]: Total: 99.00",
        "See [a](Total:99.00), invoice 77",
        "Invoice: 77\n~Old figures\nTotal: 99.00\nno longer valid~",
        "Invoice: 77\n~Total: 99.00~",
        "Invoice: 77\nTotal: 9\\950.00",
        "Invoice: 77\nTotal: 99\\,500.00",
        "Invoice: 77\nTotal: 9`9.00`",
        "Invoice: 77\nTotal: 9==9.00==",
        "Invoice: 77\nTotal: 9[9](a)9.00",
        "Invoice: 77\nTotal: $99_{.00}$",
        "Invoice: 77\n\n$\\phantom{Total: 99.00}$",
        "Invoice: 77\n\n$$\n5 % Total: 99.00\n$$",
        "Invoice: 77\n\n\\begin{comment}\nTotal: 99.00\n\\end{comment}",
        "Invoice: 77\n\n```math\nx % \nTotal: 99.00\n```",
        "Invoice: 77\n{>>\nTotal: 99.00\n<<}",
        "Invoice: 77\n%%\nTotal: 99.00\n%%",
        "Invoice: 77\n{% comment %}\nTotal: 99.00\n{% endcomment %}",
        'Invoice: 77\n\nTotal: 99.00\n{: style="display:none"}',
        'Invoice: 77\n\nTotal: 99.00 {title="a" .hidden}',
        "Invoice: 77\n\n::: hidden\n\nTotal: 99.00\n\n:::",
        "Invoice: 77 `<!--` Total: 99.00 `-->`",
        "Invoice: 77\n\n```\n<!--\n```\nTotal: 99.00\n```\n-->\n```",
        "Invoice: 77 <!--> Total: 99.00 <!-- x -->",
    ],
)
async def test_markup_that_is_not_shown_is_not_sure(text: str) -> None:
    assert (await read_field(text, "total", NUMBER)).probability <= DOUBTFUL


@each_case(
    "text",
    [
        "![Our logo](a.png)\nTotal: 99.00",
        'See [a](http://a.example "Home")\nTotal: 99.00',
        "See [a](http://a.example) and <http://b.example>,\nJim <jim@a.example>\nTotal: 99.00",
        "Total: 99.00\n\n[x]: http://a.example",
        "Invoice: <b>77</b><br />\nTotal: 99.00",
        '<p align="center">77</p>\nTotal: 99.00',
        "[draft\nTotal: 99.00\nx -> y",
        "Glucose <LOD\nTotal: 99.00",
        "~~Old figures\nno longer valid~~\n\nTotal: 99.00",
        "About ~~ 5\nTotal: 99.00",
        "<del>\nold\n</del>\nTotal: 99.00",
        "| a | b |\n|---|---|\n| x \\| y | z |\n| Total | 99.00 |",
        "Invoice: 77[^1]\n\n[^1]: Total: 99.00",
        "[^1]: unused\n\nTotal: 99.00",
        "Miller &amp; Sons &#8211; &lt;London&gt;\nTotal: 99.00&nbsp;&euro;",
        "Total: **99.00**",
        "[1](see page 3) a => b -> c > d\nTotal: 99.00",
        "---\n\nTotal: 99.00",
        "Invoice: 77\n---\nTotal: 99.00\n---\nThank you",
        "From ~5 to ~7 pieces, ~/a/b~c\nTotal: 99.00",
        "[a](guide.md#3) [b](mailto:a7@b.example) [c](/7)\nTotal: 99.00",
        "The [price](#5) was $5, {a: 1}, C:\\Temp\\{x}\nTotal: $99.00",
        "Invoice: `77` at 100 %\nTotal: `99.00`",
        "\x1b[1;32mInvoice: 77\x1b[0m\nTotal: 99.00",
        "A\fTotal: 99.00",
    ],
)
async def test_lines_beside_markup_stay_sure(text: str) -> None:
    found = await read_field(text, "total", NUMBER)
    assert (found.value, found.probability >= 0.9) == (99, True)


@each_case(
    "text",
    ["Use `<!--` and\nTotal: 99.00\n`-->`", "    <!--\n\nTotal: 99.00\n\n    -->", "\\<!-- Total: 99.00 -->"],
)
async def test_what_code_shows_of_a_comment_is_read(text: str) -> None:
    assert (await read_field(text, "total", NUMBER)).value == 99


@each_case(
    "text",
    [
        "Invoice: 77\n\x1b[8m\nTotal: 99.00\n\x1b[0m",
        "Invoice: 77\nTotal: 99.00\n\x1b[1A\x1b[2K",
        "Invoice: 77\nTotal: 99\b\b10.00",
        "Invoice: 77\nTotal: 9\x7f9.00",
        "Invoice: 77" + 300 * " " + "Total: 99.00",
    ],
)
async def test_text_beyond_sight_is_not_sure(text: str) -> None:
    assert (await read_field(text, "total", NUMBER)).probability <= DOUBTFUL
