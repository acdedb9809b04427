"""The usual markup of office files."""

import pytest
from lxml import etree

from tasks.inputs.office.usual_markup import UsualMarkup

USUAL = UsualMarkup({"urn:text": "p id\njc val=left|right|center", "urn:drawing": "line width=[0-9]{1,3}\nshare .=0"})


def unusual(xml: str) -> list[str]:
    root = etree.fromstring(f'<t:p xmlns:t="urn:text" xmlns:d="urn:drawing">{xml}</t:p>')
    return [etree.QName(element).localname for element in USUAL.unusual(root)]


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "text",
        "<!-- a comment --><?and an instruction?>",
        '<t:p id="7"/><t:p t:id="anything"/>',
        '<t:jc val="left"/><t:jc t:val="center"/><t:jc/>',
        '<d:line width="12"/><d:share>0</d:share>',
    ],
)
def test_known_elements_with_known_attributes_and_values_are_usual(xml: str) -> None:
    assert unusual(xml) == []


@pytest.mark.parametrize(
    ("xml", "names"),
    [
        ("<t:q/>", ["q"]),
        ("<q/>", ["q"]),
        ('<t:p other="7"/>', ["p"]),
        ('<t:jc val="sideways"/>', ["jc"]),
        ('<t:jc val="left"/><t:jc val="left "/><t:jc val="right"/>', ["jc"]),
        ('<d:line width="1200"/><d:p/><t:line width="1"/>', ["line", "p", "line"]),
        ("<d:share>0</d:share><d:share>50</d:share><d:share/>", ["share", "share"]),
        ("<t:q><t:p><t:jc x='1'/></t:p></t:q>", ["q", "jc"]),
    ],
)
def test_all_others_are_unusual(xml: str, names: list[str]) -> None:
    assert unusual(xml) == names
    assert unusual(xml * 2) == names * 2


def test_it_knows_names_with_their_namespaces() -> None:
    assert "{urn:text}p" in USUAL
    assert "{urn:drawing}p" not in USUAL
