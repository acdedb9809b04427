"""Text of Word documents below shapes that float in front of it."""

from random import random

import pytest

from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case
from tests.office_files import changed, document_of, member, opened

DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
WRAP = "xmlns:x='urn:schemas-microsoft-com:office:word'"
EQUATION = "http://schemas.openxmlformats.org/officeDocument/2006/math"


def lines_of(*paragraphs: str) -> dict[str, bool]:
    """Return whether each line of a document of these paragraphs is unsure."""
    data = document_of("<w:p><w:r><w:t>content</w:t></w:r></w:p>")
    names = f"xmlns:wp='{DRAWING}' xmlns:a='{MAIN}' xmlns:m='{EQUATION}'"
    content = "".join(one if one.startswith("<w:tbl>") else f"<w:p {names}>{one}</w:p>" for one in paragraphs)
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


def test_all_lines_are_unsure_beside_an_unusual_shape_in_front_of_text() -> None:
    far = [run(f"Line {number}") for number in range(40)]
    turned = floating(30, fill="<a:xfrm rot='600000'/><a:solidFill/>")
    assert all(lines_of(*far, turned + run("Total")).values())
    assert not lines_of(*far, turned.replace("wrapNone", "wrapSquare") + run("Total"))["Line 0"]
    old = vml("position:absolute;rotation:20;width:90pt;height:20pt")
    assert all(lines_of(*far, old + run("Total")).values())


def vml(style: str, content: str = "") -> str:
    attributes = f"xmlns:v='urn:schemas-microsoft-com:vml' style='{style}'"
    return f"<w:r><w:pict><v:rect {attributes}>{content}</v:rect></w:pict></w:r>"


def test_lines_below_a_shape_of_the_older_kind_are_unsure() -> None:
    shape = vml("position:absolute;width:90pt;height:20pt;z-index:5")
    assert lines_of(shape + run("Total"), run("Below")) == {"Total": True, "Below": True}
    placed_on_page = vml("position:absolute;width:90pt;height:20pt", f"<x:wrap anchorx='page' {WRAP}/>")
    assert lines_of(placed_on_page + run("Total")) == {"Total": True}


@each_case(
    "shape",
    [
        vml("position:absolute;width:90pt;height:20pt;z-index:-5"),
        vml("width:90pt;height:20pt"),
        vml("position:absolute;width:90pt;height:20pt", f"<x:wrap type='square' {WRAP}/>"),
        floating(30, "behindDoc='1'"),
        floating(30, wrap="wrapSquare"),
        floating(30, fill=""),
        floating(7),
    ],
)
def test_a_shape_that_hides_nothing_leaves_lines_sure(shape: str) -> None:
    assert lines_of(shape + run("Total"), run("Below")) == {"Total": False, "Below": False}


def placed(
    top: int, *, height: int = 20, frame: str = "page", left: int = 72, depth: int = 5, content: str = "<a:solidFill/>"
) -> str:
    """Return a shape in front of text at a place in points."""
    across, down = (f"<wp:posOffset>{points * 12_700}</wp:posOffset>" for points in (left, top))
    return (
        f"<w:r><w:drawing><wp:anchor behindDoc='0' relativeHeight='{depth}'>"
        f"<wp:positionH relativeFrom='page'>{across}</wp:positionH>"
        f"<wp:positionV relativeFrom='{frame}'>{down}</wp:positionV>"
        f"<wp:extent cx='{300 * 12_700}' cy='{height * 12_700}'/><wp:wrapNone/>{content}</wp:anchor></w:drawing></w:r>"
    )


LINES = [run(f"Line {number}") for number in range(20)]


@each_case(
    ("top", "frame", "marked"),
    [
        (100, "page", range(1, 3)),
        (28, "margin", range(1, 3)),
        (300, "page", range(12, 19)),
        (20, "page", range(0)),
        (750, "page", range(0)),
    ],
)
def test_lines_far_from_the_anchor_of_a_shape_that_is_placed_on_their_page_are_unsure(
    top: int, frame: str, marked: range
) -> None:
    found = lines_of(*LINES, placed(top, frame=frame) + run("Last"))
    unsure = {line for line, is_unsure in found.items() if is_unsure}
    assert {f"Line {number}" for number in marked} <= unsure
    assert len(unsure) < 20


def test_a_shape_in_the_margin_of_a_page_hides_no_lines() -> None:
    assert not any(lines_of(*LINES, placed(100, left=-300) + run("Last")).values())


def test_lines_on_other_pages_than_a_shape_stay_sure() -> None:
    breaks = "<w:r><w:br w:type='page'/></w:r>"
    pages = [run(f"Page {number}") + breaks for number in range(400)]
    found = lines_of(*pages, placed(72) + run("Last"))
    assert (found["Page 0"], found["Page 399"]) == (False, True)


def test_the_text_of_a_box_is_unsure_if_a_shape_above_it_is_placed_there() -> None:
    text = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
    box = placed(400, depth=3, content=text)
    for top, depth, is_unsure in ((410, 5, True), (410, 2, False), (300, 5, False)):
        assert lines_of(box + run("Total"), placed(top, depth=depth) + run("Last"))["In the box"] is is_unsure


def contour(wrap: str, side: int) -> str:
    """Return a shape whose contour for the text is a square."""
    corners = "".join(f"<wp:lineTo x='{x}' y='{y}'/>" for x, y in ((0, side), (side, side), (side, 0)))
    polygon = f"<wp:wrapPolygon><wp:start x='0' y='0'/>{corners}</wp:wrapPolygon>"
    return floating(30, wrap=wrap).replace(f"<wp:{wrap}/>", f"<wp:{wrap}>{polygon}</wp:{wrap}>")


@each_case(
    ("shape", "is_unsure"),
    [
        (contour("wrapThrough", 9), True),
        (contour("wrapTight", 21_600), False),
        (floating(30, "distT='-360000'", wrap="wrapSquare"), True),
        (floating(30, "distT='360000'", wrap="wrapSquare"), False),
        (floating(1, wrap="wrapSquare", fill="<a:solidFill/><a:xfrm><a:ext cx='900000' cy='900000'/></a:xfrm>"), True),
    ],
)
def test_lines_are_unsure_where_they_do_not_give_way_to_a_whole_shape(shape: str, is_unsure: bool) -> None:
    assert lines_of(shape + run("Total")) == {"Total": is_unsure}


def floating_table(text: str, place: str, fill: str = "auto") -> str:
    cell = f"<w:tcPr><w:shd w:val='clear' w:fill='{fill}'/></w:tcPr><w:p>{run(text)}</w:p>"
    grid = "<w:tblGrid><w:gridCol w:w='3000'/></w:tblGrid>"
    row = f"<w:tr><w:trPr><w:trHeight w:val='600' w:hRule='exact'/></w:trPr><w:tc>{cell}</w:tc></w:tr>"
    return f"<w:tbl><w:tblPr><w:tblpPr {place}/></w:tblPr>{grid}{row}</w:tbl>"


@each_case(
    ("first", "second", "fill", "is_unsure"),
    [
        ("w:vertAnchor='page' w:tblpX='100' w:tblpY='3000'", "w:vertAnchor='page' w:tblpY='2800'", "FFFFFF", True),
        ("w:vertAnchor='page' w:tblpX='100' w:tblpY='3000'", "w:vertAnchor='page' w:tblpY='2800'", "auto", False),
        ("w:vertAnchor='page' w:tblpX='100' w:tblpY='3000'", "w:vertAnchor='page' w:tblpY='2300'", "FFFFFF", False),
        ("w:vertAnchor='page' w:tblpX='3100' w:tblpY='3000'", "w:vertAnchor='page' w:tblpY='2800'", "FFFFFF", False),
        ("w:tblpY='1'", "w:tblpY='1'", "FFFFFF", True),
        ("w:tblpY='1'", "w:tblpY='700'", "FFFFFF", False),
    ],
)
def test_floating_tables_on_which_others_may_lie_are_unsure(
    first: str, second: str, fill: str, is_unsure: bool
) -> None:
    found = lines_of(floating_table("Total", first), floating_table("Above", second, fill), run("Last"))
    assert (found["Total"], found["Above"], found["Last"]) == (is_unsure, False, False)


@pytest.mark.deep
def test_many_floating_tables_are_compared_in_bounded_time() -> None:
    tables = [floating_table(f"Total {random()}", "w:tblpY='1'", "FFFFFF") for _ in range(12_000)]
    assert all(lines_of(*tables).values())


def test_a_phantom_in_an_equation_is_left_out() -> None:
    phantom = "<m:phant><m:phantPr><m:show m:val='0'/></m:phantPr><m:e><m:r><m:t>secret</m:t></m:r></m:e></m:phant>"
    assert lines_of(run("Total ") + f"<m:oMath>{phantom}<m:r><m:t>5</m:t></m:r></m:oMath>") == {"Total 5": False}


@pytest.mark.deep
def test_a_paragraph_with_many_shapes_is_marked_once() -> None:
    assert all(lines_of(floating(30) * 5_000 + run("Total")).values())
