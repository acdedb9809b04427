"""Colours of office files, and whether text is seen in them."""

import pytest
from lxml import etree

from tasks.inputs.contrast import BLACK, WHITE, is_seen
from tasks.inputs.office import colors
from tests.conftest import each_case

MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
THEME = f"""<a:theme xmlns:a="{MAIN}"><a:themeElements><a:clrScheme name="x"><a:dk1><a:sysClr val="windowText"/></a:dk1>
    <a:lt1><a:sysClr val="window" lastClr="FFFFFF"/></a:lt1><a:accent1><a:srgbClr val="1F3864"/></a:accent1>
    </a:clrScheme></a:themeElements></a:theme>""".encode()


@each_case(
    ("text", "ground", "is_distinct"),
    [
        ("FFFFFF", "FFFFFF", False),
        ("F8F8F8", "FFFFFF", False),
        ("FFFFE6", "FFFFFF", False),
        ("000000", "000000", False),
        ("0A0A0A", "000000", False),
        ("EEEEEE", "EEEEEE", False),
        ("F2F2F2", "FFFFFF", True),
        ("FFFF00", "FFFFFF", True),
        ("FFFFFF", "4472C4", True),
        ("000000", "FFFFFF", True),
    ],
)
def test_text_is_seen_where_it_differs_from_its_ground(text: str, ground: str, is_distinct: bool) -> None:
    color, behind = colors.of_hex(text), colors.of_hex(ground)
    assert color is not None
    assert behind is not None
    assert is_seen(color, (behind,)) is is_distinct


@pytest.mark.parametrize("color", [WHITE, BLACK, (0.5, 0.5, 0.5)])
def test_all_text_is_seen_on_a_ground_that_is_not_known(color: colors.Color) -> None:
    assert is_seen(color, colors.UNKNOWN)


@each_case(
    ("xml", "expected"),
    [
        ('<a:srgbClr val="FF0000"/>', ("FF0000", 1.0)),
        ('<a:schemeClr val="bg1"/>', ("FFFFFF", 1.0)),
        ('<a:schemeClr val="tx1"><a:lumMod val="50000"/><a:lumOff val="50000"/></a:schemeClr>', ("808080", 1.0)),
        ('<a:schemeClr val="accent1"><a:tint val="0"/></a:schemeClr>', ("FFFFFF", 1.0)),
        ('<a:schemeClr val="accent1"><a:shade val="0%"/></a:schemeClr>', ("000000", 1.0)),
        ('<a:prstClr val="white"><a:alpha val="40000"/></a:prstClr>', ("FFFFFF", 0.4)),
        ('<a:prstClr val="dkBlue"/>', ("00008B", 1.0)),
        ('<a:scrgbClr r="100000" g="100%" b="0"/>', ("FFFF00", 1.0)),
        ('<a:hslClr hue="0" sat="100000" lum="50000"/>', ("FF0000", 1.0)),
        ('<a:srgbClr val="000000"><a:inv/></a:srgbClr>', ("FFFFFF", 1.0)),
        ('<a:srgbClr val="FF0000"><a:green val="100000"/></a:srgbClr>', ("FFFF00", 1.0)),
        ('<a:sysClr val="window" lastClr="000000"/>', None),
        ('<a:sysClr val="btnFace" lastClr="F0F0F0"/>', ("F0F0F0", 1.0)),
        ('<a:srgbClr val="white"/>', None),
        ('<a:schemeClr val="accent9"/>', None),
    ],
)
def test_colours_of_drawings_are_read_with_their_changes(xml: str, expected: tuple[str, float] | None) -> None:
    found = colors.Theme(THEME).read(etree.fromstring(f'<a:solidFill xmlns:a="{MAIN}">{xml}</a:solidFill>'))
    read = None if found is None else ("".join(f"{round(one * 255):02X}" for one in found[0]), found[1])
    assert read == expected


def test_names_of_colours_lead_to_the_theme_as_a_document_maps_them() -> None:
    theme = colors.Theme(THEME, {"bg1": "dark1", "t1": "light1"})
    assert theme.named("background1") == BLACK
    assert theme.named("text1") == WHITE
    assert theme.named("light1") == WHITE
