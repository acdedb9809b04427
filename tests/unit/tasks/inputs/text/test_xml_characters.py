"""No character that XML forbids is left in a text, nor in what HTML makes of one."""

import pytest
from lxml import etree
from lxml import html as lxml_html

from tasks.inputs.text.xml_characters import markup_without_forbidden, without_forbidden

ALLOWED = "\t\n\r !é\u00a0\ud7ff\ue000\ufdd0\ufffd\U00010000\U0010ffff"


def test_exactly_what_xml_forbids_is_left_out() -> None:
    forbidden = "".join(map(chr, (*range(9), 11, 12, *range(14, 32), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF)))
    assert without_forbidden(f"a{forbidden}b{ALLOWED}") == f"ab{ALLOWED}"
    etree.Element("cell").text = without_forbidden("".join(map(chr, range(0x11000))))


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("a&#1;b", "a\ufffdb"),
        ("&#xFFFE;&#x0ffff;&#65535;&#0000011", "\ufffd" * 4),
        ("&#xd800;", "\ufffd"),
        ("&#9999999;", "\ufffd"),
        ("&#\x011;", "\ufffd"),
        ("&#&#1;1;", "&#\ufffd1;"),
        ("&#233;&#x20AC;&amp;&#x;&#;", "&#233;&#x20AC;&amp;&#x;&#;"),
    ],
)
def test_references_to_forbidden_characters_are_replaced(markup: str, expected: str) -> None:
    assert markup_without_forbidden(markup) == expected
    for element in lxml_html.fromstring(f"<p>{markup_without_forbidden(markup)}</p>").iter():
        element.text = element.text
