"""Numbers that Word shows before headings, clauses and items."""

from collections.abc import Iterable

from docx.document import Document as WordDocument
from docx.oxml import parse_xml

from tests.conftest import each_case
from tests.kit.papers.office_files import WORD, document, text_of

CLAUSES = (("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"), ("lowerRoman", "%4)"))


def level(index: int, form: str, label: str, more: str = "") -> str:
    own = f'<w:start w:val="1"/><w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{label}"/>'
    return f'<w:lvl w:ilvl="{index}">{own}</w:lvl>'


def numbered(levels: str, paragraphs: Iterable[tuple[str, str | None, str]], nums: str = "") -> bytes:
    """A document of paragraphs: text, style, and properties of the number."""

    def fill(word: WordDocument) -> None:
        numbering = word.part.numbering_part.element
        numbering.insert(0, parse_xml(f'<w:abstractNum xmlns:w="{WORD}" w:abstractNumId="77">{levels}</w:abstractNum>'))
        first = '<w:num w:numId="77"><w:abstractNumId w:val="77"/></w:num>'
        numbering.extend(parse_xml(f'<w:numbering xmlns:w="{WORD}">{first}{nums}</w:numbering>'))
        for text, style, properties in paragraphs:
            own = word.add_paragraph(text, style=style)._p.get_or_add_pPr()
            if properties:
                own.append(parse_xml(f'<w:numPr xmlns:w="{WORD}">{properties}</w:numPr>'))

    return document(fill)


def at(index: int, num: int = 77) -> str:
    return f'<w:ilvl w:val="{index}"/><w:numId w:val="{num}"/>'


def lines_of(data: bytes) -> list[str]:
    return [line for line in text_of(data).splitlines() if line]


def test_clauses_have_the_numbers_of_their_levels() -> None:
    levels = "".join(level(index, form, label) for index, (form, label) in enumerate(CLAUSES))
    places = (("A", "Heading 1", at(0)), ("b", None, at(1)), ("c", None, at(2)), ("d", None, at(2)), ("e", None, at(3)))
    more = (("plain", None, ""), ("f", None, at(1)), ("G", "Heading 1", at(0)), ("h", None, at(1)), ("i", None, at(0)))
    assert lines_of(numbered(levels, (*places, *more))) == [
        *("# 1. A", "- 1.1 b", "  - (a) c", "  - (b) d", "    - i) e", "plain", "- 1.2 f", "# 2. G", "- 2.1 h", "3. i"),
    ]


def test_a_level_of_a_style_needs_no_number_of_its_own() -> None:
    levels = level(0, "upperRoman", "§ %1", '<w:pStyle w:val="Heading1"/>')
    levels += level(1, "decimal", "§ %1.%2", '<w:isLgl/><w:pStyle w:val="Heading2"/>')

    def fill(word: WordDocument) -> None:
        for style in ("Heading 1", "Heading 2"):
            properties = word.styles[style].element.get_or_add_pPr()
            properties.append(parse_xml(f'<w:numPr xmlns:w="{WORD}"><w:numId w:val="77"/></w:numPr>'))
        numbering = word.part.numbering_part.element
        numbering.insert(0, parse_xml(f'<w:abstractNum xmlns:w="{WORD}" w:abstractNumId="77">{levels}</w:abstractNum>'))
        numbering.append(parse_xml(f'<w:num xmlns:w="{WORD}" w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
        for text, rank in (("a", 1), ("b", 2), ("c", 1), ("d", 2)):
            word.add_heading(text, rank)

    assert lines_of(document(fill)) == ["# § I a", "## § 1.1 b", "# § II c", "## § 2.1 d"]


def test_definitions_of_one_kind_count_together_unless_one_begins_anew() -> None:
    nums = '<w:num w:numId="78"><w:abstractNumId w:val="77"/></w:num>'
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    nums += f'<w:num w:numId="79"><w:abstractNumId w:val="77"/>{override}</w:num>'
    paragraphs = [(text, None, at(0, num)) for text, num in zip("abcde", (77, 77, 78, 79, 79), strict=True)]
    found = lines_of(numbered(level(0, "decimal", "%1)"), paragraphs, nums))
    assert found == ["1) a", "2) b", "3) c", "1) d", "2) e"]


def test_a_level_may_count_on_after_the_levels_above_it() -> None:
    levels = level(0, "decimal", "Part %1:") + level(1, "decimal", "Art. %2", '<w:lvlRestart w:val="0"/>')
    paragraphs = [(text, None, at(index)) for text, index in zip("abcde", (0, 1, 1, 0, 1), strict=True)]
    assert [line.strip() for line in lines_of(numbered(levels, paragraphs))] == [
        *("- Part 1: a", "- Art. 1 b", "- Art. 2 c", "- Part 2: d", "- Art. 3 e"),
    ]


@each_case(
    ("form", "label", "shown"),
    [
        ("upperLetter", "%1.", ["- A. a", "- B. a"]),
        ("lowerRoman", "(%1)", ["- (i) a", "- (ii) a"]),
        ("decimalZero", "%1", ["- 01 a", "- 02 a"]),
        ("chineseCounting", "第%1条", ["- 第一条 a", "- 第二条 a"]),
        ("cardinalText", "%1.", ["1. a", "2. a"]),
        ("none", "%1", ["1. a", "2. a"]),
        ("bullet", "o", ["- a", "- a"]),
    ],
)
def test_numbers_have_the_form_of_their_level(form: str, label: str, shown: list[str]) -> None:
    assert lines_of(numbered(level(0, form, label), [("a", None, at(0))] * 2)) == shown


def test_a_paragraph_without_text_or_with_a_number_that_is_switched_off_has_none() -> None:
    paragraphs = [
        ("a", None, at(0)),
        ("", None, at(0)),
        ("b", None, at(0, 0)),
        ("c", None, at(0)),
        ("d", None, at(9, 5)),
    ]
    assert lines_of(numbered(level(0, "decimal", "%1."), paragraphs)) == ["1. a", "b", "3. c", "d"]
