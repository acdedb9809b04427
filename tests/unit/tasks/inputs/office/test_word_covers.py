"""Text of Word documents below shapes that float in front of it."""

import pytest

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import changed, document_of, member, opened

DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
EQUATION = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def lines_of(*paragraphs: str) -> dict[str, bool]:
    """Return whether each line of a document of these paragraphs is unsure."""
    data = document_of("<w:p><w:r><w:t>content</w:t></w:r></w:p>")
    names = f"xmlns:wp='{DRAWING}' xmlns:a='{MAIN}' xmlns:m='{EQUATION}'"
    content = "".join(f"<w:p {names}>{one}</w:p>" for one in paragraphs)
    body = member(data, "word/document.xml").replace(b"<w:p><w:r><w:t>content</w:t></w:r></w:p>", content.encode())
    text = opened(changed(data, {"word/document.xml": body})).text or ""
    return {plain_form(line): UNSURE in line for line in text.split("\n") if line}


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def floating(points: int, attributes: str = "", wrap: str = "wrapNone", fill: str = "<a:solidFill/>") -> str:
    side = points * 12_700
    extent = f"<wp:extent cx='{side}' cy='{side}'/>"
    return f"<w:r><w:drawing><wp:anchor {attributes}>{extent}<wp:{wrap}/>{fill}</wp:anchor></w:drawing></w:r>"


def test_lines_below_a_shape_in_front_of_them_are_unsure() -> None:
    far = [run(f"Line {number}") for number in range(20)]
    found = lines_of(run("Before"), floating(30) + run("Total"), run("Below"), *far)
    assert (found["Total"], found["Below"], found["Line 19"]) == (True, True, False)
    assert all(lines_of(run("Before"), *far, floating(400)).values())


def vml(style: str, content: str = "") -> str:
    attributes = f"xmlns:v='urn:schemas-microsoft-com:vml' style='{style}'"
    return f"<w:r><w:pict><v:rect {attributes}>{content}</v:rect></w:pict></w:r>"


def test_lines_below_a_shape_of_the_older_kind_are_unsure() -> None:
    shape = vml("position:absolute;width:90pt;height:20pt;z-index:5")
    assert lines_of(shape + run("Total"), run("Below")) == {"Total": True, "Below": True}


@each_case(
    "shape",
    [
        vml("position:absolute;width:90pt;height:20pt;z-index:-5"),
        vml("width:90pt;height:20pt"),
        vml("position:absolute;width:90pt;height:20pt", "<x:wrap xmlns:x='urn:schemas-microsoft-com:office:word'/>"),
        floating(30, "behindDoc='1'"),
        floating(30, wrap="wrapSquare"),
        floating(30, fill=""),
        floating(7),
    ],
)
def test_a_shape_that_hides_nothing_leaves_lines_sure(shape: str) -> None:
    assert lines_of(shape + run("Total"), run("Below")) == {"Total": False, "Below": False}


def test_a_phantom_in_an_equation_is_left_out() -> None:
    phantom = "<m:phant><m:phantPr><m:show m:val='0'/></m:phantPr><m:e><m:r><m:t>secret</m:t></m:r></m:e></m:phant>"
    assert lines_of(run("Total ") + f"<m:oMath>{phantom}<m:r><m:t>5</m:t></m:r></m:oMath>") == {"Total 5": False}


@pytest.mark.deep
def test_a_paragraph_with_many_shapes_is_marked_once() -> None:
    assert all(lines_of(floating(30) * 5_000 + run("Total")).values())
