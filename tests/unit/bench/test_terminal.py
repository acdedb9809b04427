"""What a terminal shows, as a picture of it: bars are drawn over, and nothing is asked of another host."""

from lxml import etree

from bench.terminal import SHOWN, picture, screen
from tests.conftest import ROOT


def test_a_bar_that_is_drawn_again_stands_once_below_what_was_printed_meanwhile() -> None:
    bar = "papers \x1b[38;5;197m━━\x1b[0m {}/25"
    output = f"\x1b[?25l{bar.format(1)}\r\x1b[2K{bar.format(2)}\r\x1b[2Ka.png: damaged\r\n{bar.format(3)}"
    assert screen(output) == f"a.png: damaged\n{bar.format(3)}"
    two = "one\r\ntwo\r\x1b[2K\x1b[1A\x1b[2Kagain\r\nlast"
    assert screen(two) == "again\nlast"


def test_the_picture_has_the_text_and_the_colours_and_no_address() -> None:
    drawn = picture("a.png: damaged\npapers \x1b[31m━━━\x1b[0m 3/25")
    told = "".join(etree.fromstring(drawn.encode()).itertext()).replace("\xa0", " ")
    for part in ("--out invoices.xlsx", "a.png: damaged", "━━━", "3/25"):
        assert part in told
    assert drawn.replace("http://www.w3.org/2000/svg", "").count("http") == drawn.count("https://www.textualize.io")


def test_the_command_of_the_picture_is_that_of_the_page() -> None:
    page = (ROOT / "docs" / "folders.md").read_text("utf-8")
    assert SHOWN.replace("\\\n    ", "") in page
