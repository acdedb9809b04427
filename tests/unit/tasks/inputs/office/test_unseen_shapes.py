"""Text of slides that a reader does not see."""

import copy
import io
import random
from collections.abc import Callable
from typing import Any

import PIL.Image
import pytest
from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import MSO_SHAPE
from pptx.oxml import parse_xml
from pptx.presentation import Presentation
from pptx.slide import Slide
from pptx.util import Inches, Pt

from tasks.markdown_text import UNSURE
from tests.office_files import opened, picture, slides, text_of
from tests.unit.tasks.inputs.office.timings import timing

BOX = (Inches(1), Inches(1), Inches(4), Inches(1))
MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"


def titled(presentation: Presentation, title: str, layout: int = 5) -> Slide:
    slide = presentation.slides.add_slide(presentation.slide_layouts[layout])
    slide.shapes.title.text = title
    return slide


def is_read(change: Callable[[Slide, Any], object], *, place: tuple[int, ...] = BOX, text: str = "secret") -> bool:
    """True if the text of a box is read after a change of the box, or of the slide."""

    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        box = slide.shapes.add_textbox(*place)
        box.text_frame.text = text
        change(slide, box)

    read = text_of(slides(fill))
    assert read.startswith("## Slide 1: T")
    return text in read


def font_of(box: Any) -> Any:
    return box.text_frame.paragraphs[0].runs[0].font


def painted(color: str) -> Callable[[Slide, Any], None]:
    return lambda _, box: setattr(font_of(box).color, "rgb", RGBColor.from_string(color))


def linked(slide: Slide, box: Any) -> None:
    """Make a text a link, which has the colour of links."""
    painted("FFFFFF")(slide, box)
    box.text_frame.paragraphs[0].runs[0].hyperlink.address = "https://example.org/"


def filled(shape: Any, color: str) -> None:
    shape.fill.solid()
    shape.fill.fore_color.rgb = RGBColor.from_string(color)


def white_on(color: str) -> Callable[[Slide, Any], None]:
    def change(slide: Slide, box: Any) -> None:
        filled(box, color)
        painted("FFFFFF")(slide, box)

    return change


def themed(name: MSO_THEME_COLOR, brightness: float = 0.0) -> Callable[[Slide, Any], None]:
    def change(_: Slide, box: Any) -> None:
        font_of(box).color.theme_color = name
        font_of(box).color.brightness = brightness

    return change


def properties(xml: str = "", **attributes: str) -> Callable[[Slide, Any], None]:
    """Return a change that gives a text these properties."""

    def change(_: Slide, box: Any) -> None:
        element = font_of(box)._element
        for name, value in attributes.items():
            element.set(name, value)
        for child in etree.fromstring(f'<x xmlns:a="{MAIN}">{xml}</x>'):
            element.append(child)

    return change


def test_hidden_shapes_and_text_without_size_or_colour_are_left_out_and_struck_text_is_marked() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        line = slide.shapes.add_textbox(0, 0, 99, 99).text_frame.paragraphs[0]
        for text, name, value in (("Total ", "", ""), ("80", "strike", "sngStrike"), (".00", "strike", "dblStrike")):
            line.add_run().text = text
            if name:
                line.runs[-1].font._element.set(name, value)
        line.add_run().text = " 90.00"
        line.add_run().text = " 91.00"
        line.runs[-1].font.size = Pt(1)
        line.add_run().text = " 92.00"
        line.runs[-1].font.fill.background()
        secret = slide.shapes.add_textbox(0, 0, 99, 99)
        secret.text_frame.text = "secret"
        secret._element.nvSpPr.cNvPr.set("hidden", "1")

    assert text_of(slides(fill)) == "## Slide 1: T\n\nTotal ~~80.00~~ 90.00"


@pytest.mark.parametrize(
    "change",
    [
        painted("FFFFFF"),
        painted("FAFAFA"),
        themed(MSO_THEME_COLOR.BACKGROUND_1),
        themed(MSO_THEME_COLOR.LIGHT_1),
        themed(MSO_THEME_COLOR.TEXT_1, 1.0),
        white_on("FFFFFF"),
        properties("<a:solidFill><a:srgbClr val='000000'><a:alpha val='3000'/></a:srgbClr></a:solidFill>"),
        properties("<a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill><a:effectLst/>"),
        properties("<a:solidFill><a:srgbClr val='FFFF00'/></a:solidFill>"
                   "<a:highlight><a:srgbClr val='FFFF00'/></a:highlight>"),
        properties(sz="150"),
        properties(spc="-100000"),
    ],
)  # fmt: skip
def test_text_in_the_colour_of_its_ground_or_tiny_is_left_out(change: Callable[[Slide, Any], None]) -> None:
    assert not is_read(change)


@pytest.mark.parametrize(
    "change",
    [
        painted("F2F2F2"),
        painted("FFFF00"),
        white_on("1F3864"),
        themed(MSO_THEME_COLOR.ACCENT_1),
        themed(MSO_THEME_COLOR.BACKGROUND_1, -0.25),
        properties("<a:gradFill/>"),
        properties("<a:ln><a:solidFill/></a:ln><a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill>"),
        properties("<a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill><a:effectLst><a:outerShdw/></a:effectLst>"),
        linked,
        properties("<a:solidFill><a:srgbClr val='FFFFFF'/></a:solidFill>"
                   "<a:highlight><a:srgbClr val='000000'/></a:highlight>"),
        properties(sz="700", spc="-100"),
    ],
)  # fmt: skip
def test_text_of_another_colour_than_its_ground_is_read(change: Callable[[Slide, Any], None]) -> None:
    assert is_read(change)


def test_white_text_is_read_on_a_dark_slide_a_picture_or_a_dark_shape() -> None:
    def on_slide(slide: Slide, box: Any) -> None:
        filled(slide.background, "1F3864")
        painted("FFFFFF")(slide, box)

    def on_master(slide: Slide, box: Any) -> None:
        filled(slide.slide_layout.slide_master.background, "1F3864")
        painted("FFFFFF")(slide, box)

    def behind(add: Callable[[Slide], Any]) -> Callable[[Slide, Any], None]:
        def change(slide: Slide, box: Any) -> None:
            box._element.addprevious(add(slide)._element)
            painted("FFFFFF")(slide, box)

        return change

    def shape(slide: Slide, color: str = "1F3864") -> Any:
        drawn = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, Inches(8), Inches(5))
        filled(drawn, color)
        return drawn

    def photo(slide: Slide) -> Any:
        file = io.BytesIO()
        PIL.Image.new("RGB", (40, 40)).save(file, "JPEG")
        return slide.shapes.add_picture(file, 0, 0, Inches(8), Inches(5))

    assert is_read(on_slide)
    assert is_read(on_master)
    assert is_read(behind(shape))
    assert is_read(behind(photo))
    assert not is_read(behind(lambda slide: shape(slide, "FFFFFF")))


def test_the_text_of_a_shape_has_the_colour_that_its_style_gives() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T")
        for color in ("000000", "FFFFFF"):
            drawn = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, *BOX)
            drawn.text_frame.text = f"on {color}"
            filled(drawn, color)
            drawn.left = Inches(1 if color == "000000" else 5)
            drawn.width = Inches(3)

    text = text_of(slides(fill))
    assert "on 000000" in text
    assert "on FFFFFF" not in text


def test_placeholders_have_their_size_and_colour_from_the_layout() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "T", layout=1)
        slide.placeholders[1].text_frame.text = "secret"
        (body,) = (one for one in slide.slide_layout.placeholders if one.placeholder_format.idx == 1)
        style = body._element.txBody.find(f"{{{MAIN}}}lstStyle")
        style.append(parse_xml(f'<a:lvl1pPr xmlns:a="{MAIN}"><a:defRPr sz="100"/></a:lvl1pPr>'))

    assert text_of(slides(fill)) == "## Slide 1: T"


def test_white_text_of_a_table_is_read_where_a_cell_or_a_style_may_be_dark() -> None:
    def fill(presentation: Presentation) -> None:
        frame = titled(presentation, "T").shapes.add_table(1, 3, *BOX)
        for at, color in enumerate((None, "FFFFFF", "1F3864")):
            cell = frame.table.cell(0, at)
            cell.text = f"cell {at}"
            cell.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor(255, 255, 255)
            if color:
                filled(cell, color)

    assert "| cell 0 |  | cell 2 |" in text_of(slides(fill))


@pytest.mark.parametrize(("left", "top"), [(-5, 1), (30, 1), (1, -3), (1, 20)])
def test_boxes_off_the_slide_are_left_out(left: int, top: int) -> None:
    assert not is_read(lambda *_: None, place=(Inches(left), Inches(top), Inches(4), Inches(1)))


def test_boxes_that_reach_into_the_slide_are_read() -> None:
    assert is_read(lambda *_: None, place=(-Inches(1), Inches(1), Inches(4), Inches(1)), text="a text that is long")


def test_groups_are_judged_by_the_places_of_their_shapes() -> None:
    def fill(presentation: Presentation) -> None:
        group = titled(presentation, "T").shapes.add_group_shape()
        group.shapes.add_textbox(*BOX).text_frame.text = "inside"
        frame = group._element.grpSpPr.find(f"{{{MAIN}}}xfrm")
        frame.find(f"{{{MAIN}}}off").set("x", str(Inches(40) * len(presentation.slides._sldIdLst) - Inches(40)))

    def both(presentation: Presentation) -> None:
        fill(presentation)
        fill(presentation)

    assert text_of(slides(both)) == "## Slide 1: T\n\ninside\n\n## Slide 2: T"


def covered(color: str = "FFFFFF", shape: MSO_SHAPE = MSO_SHAPE.RECTANGLE) -> Callable[[Slide, Any], Any]:
    def change(slide: Slide, box: Any) -> Any:
        cover = slide.shapes.add_shape(shape, 0, 0, Inches(8), Inches(4))
        filled(cover, color)
        return cover

    return change


@pytest.mark.parametrize(("flip", "is_on_slide"), [("0", True), ("1", False)])
def test_shapes_of_a_flipped_group_are_at_its_other_side(flip: str, *, is_on_slide: bool) -> None:
    """The slide is 10 inches wide, the group 40, and its text at its left."""

    def in_group(slide: Slide, box: Any) -> None:
        frame = slide.shapes.add_group_shape([box])._element.grpSpPr.find(f"{{{MAIN}}}xfrm")
        frame.set("flipH", flip)
        for name in ("ext", "chExt"):
            frame.find(f"{{{MAIN}}}{name}").set("cx", str(Inches(40)))

    assert is_read(in_group) == is_on_slide


def test_text_under_an_opaque_shape_is_left_out() -> None:
    assert not is_read(covered())
    assert not is_read(covered("FF0000"))
    assert is_read(covered(shape=MSO_SHAPE.OVAL))
    assert is_read(lambda slide, box: covered()(slide, box).fill.background())


def test_text_under_a_shape_that_is_transparent_or_animated_is_read() -> None:
    def transparent(slide: Slide, box: Any) -> None:
        color = next(covered()(slide, box)._element.iter(f"{{{MAIN}}}srgbClr"))
        color.append(parse_xml(f'<a:alpha xmlns:a="{MAIN}" val="40000"/>'))

    def animated(slide: Slide, box: Any) -> None:
        cover = covered()(slide, box)
        slide._element.append(
            parse_xml(f'<p:timing xmlns:p="{SLIDE}"><p:tgtEl><p:spTgt spid="{cover.shape_id}"/></p:tgtEl></p:timing>')
        )

    assert is_read(transparent)
    assert is_read(animated)


def test_a_photo_covers_text_and_a_picture_that_may_be_transparent_does_not() -> None:
    def pictured(codec: str) -> Callable[[Slide, Any], None]:
        def change(slide: Slide, box: Any) -> None:
            file = io.BytesIO()
            PIL.Image.new("RGB", (40, 40)).save(file, codec)
            slide.shapes.add_picture(file, 0, 0, Inches(8), Inches(5))

        return change

    def faded(slide: Slide, box: Any) -> None:
        pictured("JPEG")(slide, box)
        blip = next(slide.shapes[-1]._element.iter(f"{{{MAIN}}}blip"))
        blip.append(parse_xml(f'<a:alphaModFix xmlns:a="{MAIN}" amt="10000"/>'))

    assert not is_read(pictured("JPEG"))
    assert is_read(pictured("PNG"))
    assert is_read(faded)


def test_what_a_layout_draws_is_judged_by_the_colours_of_each_slide() -> None:
    """A shape of the layout has a colour of the theme, for which a slide may have another name."""

    def fill(presentation: Presentation) -> None:
        layout = presentation.slide_layouts[5]
        drawn = presentation.slides.add_slide(layout).shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, Inches(9), Inches(6))
        drawn.fill.solid()
        drawn.fill.fore_color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
        layout.shapes._spTree.append(drawn._element)
        names = "tx1='lt1' bg2='dk2' tx2='lt2'" + "".join(f" accent{at}='accent{at}'" for at in range(1, 7))
        for background in ("lt1", "dk1", "lt1"):
            slide = titled(presentation, "")
            slide.shapes.add_textbox(*BOX).text_frame.text = f"white on {background}"
            painted("FFFFFF")(slide, slide.shapes[-1])
            mapping = f"<a:overrideClrMapping bg1='{background}' {names} hlink='hlink' folHlink='folHlink'/>"
            slide._element.find(f"{{{SLIDE}}}clrMapOvr").append(
                etree.fromstring(f'<x xmlns:a="{MAIN}">{mapping}</x>')[0]
            )

    assert text_of(slides(fill)) == "## Slide 1\n\n## Slide 2\n\n## Slide 3\n\nwhite on dk1\n\n## Slide 4"


@pytest.mark.deep
def test_a_layout_of_many_shapes_is_read_once_for_all_slides() -> None:
    def fill(presentation: Presentation) -> None:
        for _ in range(100):
            titled(presentation, "T")
        tree = presentation.slide_layouts[5].shapes._spTree
        drawn = presentation.slides[0].shapes.add_shape(MSO_SHAPE.RECTANGLE, *BOX)._element
        tree.extend(copy.deepcopy(drawn) for _ in range(20_000))
        for shape in tree.iterchildren(drawn.tag):
            shape.nvSpPr.cNvPr.set("name", random.randbytes(8).hex())  # what is too regular looks like a zip bomb

    assert text_of(slides(fill)).count("## Slide") == 100


def is_sure(fill: Callable[[Slide], object], text: str = "secret") -> bool:
    """True if the line with this text on a slide is read without a mark, False if it is read with one."""
    marked = opened(slides(lambda presentation: fill(titled(presentation, "T")))).text or ""
    (line,) = (line for line in marked.split("\n") if text in line.replace(UNSURE, ""))
    return UNSURE not in line


def written(slide: Slide, color: str | None = None, place: tuple[int, ...] = BOX) -> Any:
    box = slide.shapes.add_textbox(*place)
    box.text_frame.text = "secret"
    if color:
        painted(color)(slide, box)
    return box


def test_text_is_unsure_where_only_a_ground_that_is_not_known_may_be_of_another_colour() -> None:
    def pictured(color: str, *place: int, background: str = "FFFFFF") -> Callable[[Slide], object]:
        def fill(slide: Slide) -> None:
            filled(slide.background, background)
            slide.shapes.add_picture(picture(), *place)
            written(slide, color)

        return fill

    whole, corner = (0, 0, Inches(8), Inches(5)), (*BOX[:2], 10, 10)
    assert not is_sure(pictured("FFFFFF", *whole))
    assert not is_sure(pictured("FFFFFF", *corner))
    assert is_sure(pictured("000000", *whole))
    assert is_sure(pictured("FFFFFF", *corner, background="1F3864"))


def alternative(slide: Slide, branches: str, **shapes: Any) -> None:
    """Put shapes into the branches of an alternative; they stand in these as `{name}`."""
    compatibility = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    texts = {name: etree.tostring(shape._element).decode() for name, shape in shapes.items()}
    for shape in shapes.values():
        shape._element.getparent().remove(shape._element)
    slide.shapes._spTree.append(
        parse_xml(
            f'<mc:AlternateContent xmlns:mc="{compatibility}" xmlns:own="urn:example"'
            ' xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main">'
            f"{branches.format(**texts)}</mc:AlternateContent>"
        )
    )


def test_text_that_not_all_programs_draw_is_unsure_unless_all_draw_the_same() -> None:
    def other(slide: Slide) -> Any:
        box = written(slide)
        box.text_frame.text = "other"
        return box

    known = '<mc:Choice Requires="a14">{first}</mc:Choice><mc:Fallback>{second}</mc:Fallback>'
    unknown = known.replace("a14", "own")
    undeclared = known.replace("a14", "p14")
    assert is_sure(lambda slide: alternative(slide, known, first=written(slide), second=other(slide)))
    assert not is_sure(lambda slide: alternative(slide, unknown, first=written(slide), second=other(slide)))
    assert not is_sure(lambda slide: alternative(slide, unknown, first=other(slide), second=written(slide)))
    assert not is_sure(lambda slide: alternative(slide, undeclared, first=written(slide), second=other(slide)))
    assert is_sure(lambda slide: alternative(slide, unknown, first=written(slide), second=written(slide)))


def test_the_fallback_of_what_all_programs_draw_is_left_out() -> None:
    known = '<mc:Choice Requires="a14"/><mc:Fallback>{box}</mc:Fallback>'
    assert not is_read(lambda slide, box: alternative(slide, known, box=box))


def test_hidden_shapes_of_alternatives_and_groups_are_left_out() -> None:
    def hidden(slide: Slide, box: Any) -> None:
        box._element.nvSpPr.cNvPr.set("hidden", "1")
        alternative(slide, '<mc:Choice Requires="a14">{box}</mc:Choice>', box=box)

    def in_group(slide: Slide, box: Any) -> None:
        group = slide.shapes.add_group_shape([box])
        group._element.nvGrpSpPr.cNvPr.set("hidden", "1")
        alternative(slide, '<mc:Choice Requires="a14">{group}</mc:Choice>', group=group)

    assert not is_read(hidden)
    assert not is_read(in_group)


def test_a_hidden_shape_covers_nothing() -> None:
    def change(slide: Slide, box: Any) -> None:
        covered()(slide, box)._element.nvSpPr.cNvPr.set("hidden", "1")

    assert is_read(change)


def test_a_paragraph_that_those_above_push_off_the_slide_is_unsure() -> None:
    def below(blank: str, count: int, **about: str) -> Callable[[Slide], object]:
        def fill(slide: Slide) -> None:
            box = written(slide)
            box.text_frame.text = "\n".join(["seen", *[blank] * count, "secret"])
            for name, value in about.items():
                box.text_frame._txBody.bodyPr.set(name, value)

        return fill

    assert is_sure(below("", 10))
    assert is_sure(below("\u00a0", 30), "seen")
    assert not is_sure(below("\u00a0", 30))
    assert not is_sure(below("", 30))
    assert not is_sure(below("", 30, anchor="b"), "seen")
    assert not is_sure(below("", 30, vert="vert"))
    assert not is_sure(below("long " * 100, 3, wrap="square"))


@pytest.mark.parametrize("attributes", [{"indent": "-9000000"}, {"algn": "r", "marR": "9000000"}])
def test_a_paragraph_whose_indent_is_off_the_slide_is_unsure(attributes: dict[str, str]) -> None:
    def fill(slide: Slide) -> None:
        properties = written(slide).text_frame.paragraphs[0]._p.get_or_add_pPr()
        for name, value in attributes.items():
            properties.set(name, value)

    assert not is_sure(fill)


@pytest.mark.parametrize(
    ("before", "shift", "shifted", "after", "text", "sure"),
    [
        ("1250", "30000", "1", "", "1250^1", True),
        ("1250", "30%", "1", " secret", "1250^1 secret", True),
        ("12", "-25000", "50", "", "12 50", False),
        ("", "30000", "9", "120", "9 120", False),
        ("secret ", "-900000", "9", " EUR", "secret 9 EUR", False),
        ("12", "5000", "50", "", "1250", True),
        ("secret", "30000", "1", "", "secret1", True),
    ],
)
def test_shifted_figures_are_divided_from_numbers(
    before: str, shift: str, shifted: str, after: str, text: str, *, sure: bool
) -> None:
    def fill(slide: Slide) -> None:
        line = written(slide).text_frame.paragraphs[0]
        line.text = before
        run = line.add_run()
        run.text = shifted
        run.font._rPr.set("baseline", shift)
        line.add_run().text = after

    assert is_sure(fill, text) is sure


def test_fields_of_slides_are_unsure() -> None:
    def fill(slide: Slide) -> None:
        line = written(slide).text_frame.paragraphs[0]
        line._p.append(parse_xml(f'<a:fld xmlns:a="{MAIN}" id="{{0}}" type="slidenum"><a:t>912</a:t></a:fld>'))

    assert not is_sure(fill)


@pytest.mark.parametrize(
    ("angle", "left", "sure"), [(90, 8.5, False), (270, 8.5, False), (90, 6.5, True), (45, 8.5, True)]
)
def test_text_of_a_box_that_is_turned_off_the_slide_is_unsure(angle: int, left: float, *, sure: bool) -> None:
    def fill(slide: Slide) -> None:
        written(slide, place=(Inches(left), Inches(2), Inches(6), Inches(1.5))).rotation = angle

    assert is_sure(fill) is sure


@pytest.mark.parametrize(
    ("properties", "sure"),
    [
        ('<a:pPr><a:lnSpc><a:spcPts val="0"/></a:lnSpc></a:pPr>', False),
        ('<a:pPr><a:lnSpc><a:spcPct val="0"/></a:lnSpc></a:pPr>', False),
        ('<a:pPr><a:lnSpc><a:spcPct val="70000"/></a:lnSpc></a:pPr>', True),
        ('<a:pPr marR="9000000"/>', False),
        ('<a:pPr marR="900000"/>', True),
    ],
)
def test_lines_without_room_are_unsure(properties: str, *, sure: bool) -> None:
    def fill(slide: Slide) -> None:
        frame = written(slide).text_frame
        frame.word_wrap = True
        xml = properties.replace("<a:pPr", f'<a:pPr xmlns:a="{MAIN}"', 1)
        frame.paragraphs[0]._p.insert(0, parse_xml(xml))

    assert is_sure(fill) is sure


def test_text_at_a_tab_stop_off_the_slide_is_unsure() -> None:
    def tabbed(position: int) -> Callable[[Slide], object]:
        def fill(slide: Slide) -> None:
            line = written(slide).text_frame.paragraphs[0]
            line.text = "seen\tsecret"
            stops = f'<a:tabLst xmlns:a="{MAIN}"><a:tab pos="{position}" algn="l"/></a:tabLst>'
            line._p.get_or_add_pPr().append(parse_xml(stops))

        return fill

    assert is_sure(tabbed(Inches(2)))
    assert not is_sure(tabbed(Inches(22)))


def test_rows_that_those_above_push_off_the_slide_are_unsure() -> None:
    def below(lines: int, **about: str) -> Callable[[Slide], object]:
        def fill(slide: Slide) -> None:
            table = slide.shapes.add_table(3, 1, *BOX).table
            table.cell(1, 0).text = "\n" * lines
            table.cell(2, 0).text = "secret"
            for name, value in about.items():
                table.rows[1]._tr.set(name, value)

        return fill

    assert is_sure(below(5))
    assert not is_sure(below(25))
    assert not is_sure(below(0, h=str(Inches(12))))


def test_an_outline_that_fills_its_placeholder_is_sure() -> None:
    def fill(presentation: Presentation) -> None:
        slide = titled(presentation, "A title that is so long that it takes two lines", layout=1)
        slide.placeholders[1].text_frame.text = "\n".join(["A line of an ordinary outline"] * 7)

    assert UNSURE not in (opened(slides(fill)).text or "")


def test_text_on_a_part_of_which_something_may_lie_is_unsure() -> None:
    def oval(slide: Slide) -> None:
        covered(shape=MSO_SHAPE.OVAL)(slide, written(slide))

    def transparent_picture(slide: Slide) -> None:
        written(slide)
        slide.shapes.add_picture(picture(), *BOX)

    def beside(slide: Slide) -> None:
        written(slide)
        slide.shapes.add_picture(picture(), Inches(8), Inches(6))

    def without_width(slide: Slide) -> None:
        table = slide.shapes.add_table(1, 2, *BOX).table
        table.cell(0, 1).text = "secret"
        table.columns[1].width = 0

    assert not is_sure(oval)
    assert not is_sure(transparent_picture)
    assert not is_sure(without_width)
    assert is_sure(beside)


def test_text_of_a_size_that_is_hardly_legible_is_unsure() -> None:
    def sized(points: float) -> Callable[[Slide], object]:
        return lambda slide: setattr(font_of(written(slide)), "size", Pt(points))

    assert not is_sure(sized(3))
    assert is_sure(sized(5))


def test_text_on_one_of_two_fills_is_unsure_if_one_has_its_colour() -> None:
    def fill(slide: Slide) -> None:
        box = written(slide, "FFFFFF")
        filled(box, "1F3864")
        box._element.spPr.append(parse_xml(f'<a:solidFill xmlns:a="{MAIN}"><a:srgbClr val="FFFFFF"/></a:solidFill>'))

    assert not is_sure(fill)


@pytest.mark.parametrize(
    ("stops", "expected"),
    [(("FFFFFF", "FEFEFE"), "unseen"), (("FFFFFF", "000000"), "unsure"), (("111111",) * 2, "sure")],
)
def test_text_in_several_colours_is_judged_by_all_of_them(stops: tuple[str, ...], expected: str) -> None:
    def fill(presentation: Presentation) -> None:
        box = titled(presentation, "T").shapes.add_textbox(*BOX)
        box.text_frame.text = "secret"
        gradient = "".join(f'<a:gs pos="0"><a:srgbClr val="{stop}"/></a:gs>' for stop in stops)
        font_of(box)._element.insert(
            0, parse_xml(f'<a:gradFill xmlns:a="{MAIN}"><a:gsLst>{gradient}</a:gsLst></a:gradFill>')
        )

    marked = opened(slides(fill)).text or ""
    found = "unseen" if "ecret" not in marked else "unsure" if UNSURE in marked else "sure"
    assert found == expected


@pytest.mark.parametrize(
    ("kind", "place"), [("exit", BOX), ("path", BOX), ("entr", (-Inches(9), 0, Inches(2), Inches(1)))]
)
def test_animated_text_that_goes_or_is_outside_the_slide_is_unsure(kind: str, place: tuple[int, ...]) -> None:
    def fill(slide: Slide) -> None:
        slide._element.append(timing(written(slide, place=place).shape_id, f'presetClass="{kind}"'))

    assert not is_sure(fill)


def test_text_with_an_entrance_is_sure() -> None:
    def fill(slide: Slide) -> None:
        slide._element.append(timing(written(slide).shape_id))

    assert is_sure(fill)


def filled_twice(element: Any, *properties: str) -> None:
    """Give the properties of an element a second fill, which the standard does not allow."""
    for one in element.iter(*properties):
        for color in ("FFFFFF", "000000"):
            one.append(parse_xml(f'<a:solidFill xmlns:a="{MAIN}"><a:srgbClr val="{color}"/></a:solidFill>'))


def test_text_on_what_has_two_fills_is_unsure() -> None:
    def own(slide: Slide) -> None:
        filled_twice(written(slide, "000000")._element, f"{{{SLIDE}}}spPr")

    def behind(slide: Slide) -> None:
        filled_twice(slide.shapes.add_textbox(*BOX)._element, f"{{{SLIDE}}}spPr")
        written(slide, "000000")

    def elsewhere(slide: Slide) -> None:
        filled_twice(slide.shapes.add_textbox(Inches(6), Inches(5), 9, 9)._element, f"{{{SLIDE}}}spPr")
        written(slide, "000000")

    def letters(slide: Slide) -> None:
        filled_twice(written(slide, "000000")._element, f"{{{MAIN}}}rPr")

    def cell(slide: Slide) -> None:
        table = slide.shapes.add_table(1, 1, *BOX).table
        table.cell(0, 0).text = "secret"
        filled(table.cell(0, 0), "FFFFFF")
        filled_twice(table._tbl, f"{{{MAIN}}}tcPr")

    assert not any(map(is_sure, (own, behind, letters, cell)))
    assert is_sure(elsewhere)
