"""Markup of Word documents that mammoth would read in another way than Word shows it."""

import pytest

from tests.kit.papers.office_files import changed, document_of, member, text_of

ALTERNATIVES = "http://schemas.openxmlformats.org/markup-compatibility/2006"
SHAPES = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"


def run(text: str) -> str:
    return f"<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>"


def mark(kind: str, about: str = "") -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}" {about}/></w:r>'


def code(text: str) -> str:
    return f"<w:r><w:instrText xml:space='preserve'>{text}</w:instrText></w:r>"


def begun(about: str = "") -> str:
    """Return the beginning of a field whose saved result is shown."""
    return mark("begin", about) + code(" REF ") + code("total ")


def field(code: str, result: str) -> str:
    return f"{begun()}{code}{mark('separate')}{result}{mark('end')}"


def paragraph(content: str) -> bytes:
    """Return a document of a paragraph, with the namespaces of its content where they are declared."""
    data = document_of("<w:p><w:r><w:t>content</w:t></w:r></w:p>")
    names = f"xmlns:mc='{ALTERNATIVES}' xmlns:v='urn:schemas-microsoft-com:vml'"
    body = member(data, "word/document.xml").replace(b"<w:p>", f"<w:p {names}>".encode(), 1)
    return changed(data, {"word/document.xml": body.replace(b"<w:r><w:t>content</w:t></w:r>", content.encode())})


def text_within(content: str) -> str:
    return text_of(paragraph(content))


@pytest.mark.parametrize(
    "content",
    [
        field(run("code"), run("shown")),
        field(field(run("code"), run("1")), run("shown")),
        field(field(run("code"), run("1")) + run("code"), field(run("code"), run("shown"))),
        f"{mark('begin')}{run('code')}{mark('end')}{run('shown')}",
        f"{begun()}<w:r><mc:AlternateContent><mc:Fallback><w:t>code</w:t></mc:Fallback></mc:AlternateContent></w:r>"
        f"{mark('separate')}{run('shown')}{mark('end')}",
        f"{begun()}<w:r><w:t>code</w:t><w:br/><w:fldChar w:fldCharType='separate'/>"
        "<w:t>shown</w:t><w:fldChar w:fldCharType='end'/></w:r>",
    ],
)
def test_of_a_field_the_result_is_read(content: str) -> None:
    assert text_within(content) == "shown"


@pytest.mark.parametrize(
    "content",
    [
        f"<w:fldSimple w:instr='MERGEFIELD no'>{run('shown')}</w:fldSimple>",
        f"<w:dir w:val='ltr'>{run('shown')}</w:dir>",
        f"<w:bdo w:val='ltr'>{run('shown')}</w:bdo>",
        f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('above')}</w:rt><w:rubyBase>{run('shown')}</w:rubyBase></w:ruby></w:r>",
    ],
)
def test_text_within_fields_directions_and_ruby_is_read(content: str) -> None:
    assert text_within(content) == "shown"


def alternative(*choices: tuple[str, str], fallback: str | None = None) -> str:
    """Return a run with alternatives, each choice with a namespace that it requires."""
    texts = [f"<mc:Choice xmlns:a='{name}' Requires='a'><w:t>{text}</w:t></mc:Choice>" for name, text in choices]
    if fallback is not None:
        texts.append(f"<mc:Fallback><w:t>{fallback}</w:t></mc:Fallback>")
    return f"<w:r><mc:AlternateContent>{''.join(texts)}</mc:AlternateContent></w:r>"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (alternative((SHAPES, "shown"), fallback="old"), "shown"),
        (alternative((SHAPES, "shown")), "shown"),
        (alternative(("urn:x", "shown"), fallback="shown"), "shown"),
    ],
)
def test_the_first_choice_is_read(content: str, text: str) -> None:
    assert text_within(content) == text
