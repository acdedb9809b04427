"""Tests that a text layer is not believed where its characters are not those that the page shows."""

import pytest
from reportlab.pdfgen.canvas import Canvas

from tasks.inputs.pages import TextLayer
from tests.unit.tasks.inputs.pdf.drawn import layer_in, layer_of, texts, words

FONTS = [
    "Helvetica",
    "Helvetica-Bold",
    "Helvetica-Oblique",
    "Times-Roman",
    "Times-BoldItalic",
    "Courier",
    "Courier-BoldOblique",
]
SENTENCES = ["Invoice 0123456789 of 14.03.2026, due in 30 days", "The quick brown fox jumps over THE LAZY DOG"]


def mapped(text: str, shown_as: dict[str, str]) -> TextLayer:
    """The layer of a page that shows `text` in Helvetica. The file says that some characters are other ones."""
    codes = "\n".join(f"<{ord(one):02x}> <{other.encode('utf-16-be').hex()}>" for one, other in shown_as.items())
    cmap = (
        f"begincmap 1 begincodespacerange <00> <ff> endcodespacerange {len(shown_as)} beginbfchar\n{codes}\nendbfchar\n"
        "endcmap"
    )
    content = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 6 0 R>>",
        f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream",
    ]
    body = "".join(f"{number} 0 obj\n{one}\nendobj\n" for number, one in enumerate(objects, start=1))
    return layer_in(f"%PDF-1.4\n{body}trailer\n<</Root 1 0 R/Size 7>>\nstartxref\n0\n%%EOF".encode())


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("size", [5, 7, 12, 40])
def test_usual_fonts_are_believed(font: str, size: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for row, sentence in enumerate(SENTENCES):
            canvas.drawString(30, 700 - 2 * size * row, sentence[: int(900 / size)])

    layer = layer_of(draw)
    assert layer.complete
    assert len(layer.lines) >= len(SENTENCES)


@pytest.mark.parametrize("degrees", [90, 180, 270, 30])
def test_turned_text_is_believed(degrees: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.translate(300, 400)
        canvas.rotate(degrees)
        canvas.drawString(0, 0, "Total 0123456789")

    assert texts(layer_of(draw)) == ["Total 0123456789"]


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("Total 12.50", {"1": "9", "2": "8", "5": "7"}),
        ("Total 12.50", {"1": "7"}),
        ("Total 12.50", {"0": "8"}),
        ("Total 1.50", {"1": "999"}),
        ("Total 9.50", {"9": "99"}),
        ("Total 12.50", {"2": "３"}),
        ("Total 9912.50", {"9": "*"}),
        ("Total 9912.50", {"9": " "}),
        ("Total 9912.50", {"9": "\u00ad"}),
        ("Total 9912.50", {"9": "\u200b"}),
        ("Total -12.50", {"-": "\u00ad"}),
        ("Total 120.00", {".": "0"}),
        ("Total 12.50", {"1": "٩", "2": "٨", "5": "٧", "0": "٦"}),
        ("Code A-4711", {"A": "B"}),
        ("Pay to ACME", {"A": "E", "C": "V", "M": "I", "E": "L"}),
        ("Pay to Ann", {"A": "B", "n": "ob"}),
    ],
)
def test_a_page_that_shows_other_characters_than_the_file_says_is_left_to_ocr(
    text: str, shown_as: dict[str, str]
) -> None:
    assert mapped(text, {}).complete
    assert mapped(text, shown_as) == TextLayer()


@pytest.mark.parametrize(
    ("text", "shown_as", "doubtful"),
    [
        ("Total 12.500 EUR", {".": ","}, "12,500"),
        ("Total 1,250 EUR", {",": "."}, "1.250"),
        ("Total 125.000 EUR", {".": "'"}, "125'000"),
        ("Total -12 EUR", {"-": "+"}, "+12"),
        ("Total -12 EUR", {"-": ":"}, ":12"),
        ("Total 125.00 EUR", {".": "\u2060"}, "125\u206000"),
        ("Number of the order ABC-4711", {"A": "А", "B": "В", "C": "С"}, "АВС-4711"),
        ("IBAN DE89370400440532013000", {"E": "Ε"}, "DΕ89370400440532013000"),
        ("Pay to ACME", {"A": "А", "C": "С", "M": "М", "E": "Е"}, "АСМЕ"),
        ("Code AEO-4711", {"E": "É"}, "AÉO-4711"),
    ],
)
def test_a_word_whose_marks_or_letters_may_be_others_is_not_certain(
    text: str, shown_as: dict[str, str], doubtful: str
) -> None:
    [line] = mapped(text, {}).lines
    assert {word.confidence for word in line.words} == {1.0}
    [line] = mapped(text, shown_as).lines
    assert doubtful in [word.text for word in line.words if word.confidence < 1]


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("size", [6, 8, 11, 24])
def test_marks_in_numbers_are_certain(font: str, size: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for row in range(6):
            canvas.drawString(30 + row / 7, 700 - 2.1 * size * row, "1.250,00 -12 +34 12:30 1'250")

    assert {word.confidence for line in layer_of(draw).lines for word in line.words} == {1.0}


def test_ligatures_are_believed() -> None:
    assert texts(mapped("of$ce 12", {"$": "fi"})) == ["office 12"]


def test_other_signs_are_not_compared() -> None:
    assert texts(mapped("Total 12.50 $", {"$": "€"})) == ["Total 12.50 €"]


def test_a_watermark_over_figures_is_no_reason_to_doubt_them() -> None:
    def watermark(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica-Bold", 90)
        canvas.setFillGray(0.85)
        canvas.drawString(60, 660, "DRAFT")
        canvas.restoreState()

    layer = layer_of(watermark, words("Total 0123456789 for the work that was done"))
    assert "Total 0123456789 for the work that was done" in texts(layer)


@pytest.mark.parametrize("scale", [4, 8])
def test_a_page_with_squeezed_figures_is_left_to_ocr(scale: float) -> None:
    def draw(canvas: Canvas) -> None:
        line = canvas.beginText(72, 700)
        line.textOut("Total ")
        line.setHorizScale(scale)
        line.textOut("99")
        line.setHorizScale(100)
        line.textOut("12.50")
        canvas.drawText(line)

    assert layer_of(draw) == TextLayer()


@pytest.mark.parametrize(("rise", "size"), [(5, 6), (4, 7), (-2, 7)])
def test_raised_and_lowered_figures_are_no_part_of_a_number(rise: float, size: float) -> None:
    def draw(canvas: Canvas) -> None:
        line = canvas.beginText(72, 700)
        line.textOut("Total 1250")
        line.setRise(rise)
        line.setFont("Helvetica", size)
        line.textOut("3")
        canvas.drawText(line)

    read = texts(layer_of(draw))
    assert " ".join(sorted(read, reverse=True)) == "Total 1250 3"


def test_text_too_small_to_be_compared_is_not_certain() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 3)
        canvas.drawString(72, 700, "Total 12.50")

    assert all(word.confidence == 1.0 for line in layer_of(words("Total – 12.50 · _")).lines for word in line.words)
    [line] = layer_of(draw).lines
    assert {word.confidence for word in line.words} == {0.5}
