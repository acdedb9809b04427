"""What the styles of an HTML page hide."""

import pytest
from bs4 import BeautifulSoup

from tasks.inputs.text.html_text import html_to_markdown
from tasks.inputs.text.page_styles import drop_hidden
from tests.conftest import each_case


def seen(body: str, css: str = "", style: str = "<style>") -> str:
    soup = BeautifulSoup(f"<html><head>{style}{css}</style></head><body>{body}</body></html>", "lxml")
    drop_hidden(soup)
    assert soup.body is not None
    return " ".join(soup.body.get_text(" ").split())


@each_case(
    ("css", "element"),
    [
        (".a{display:none}", "<p class=a>X</p>"),
        ("#q{visibility:hidden}", "<p id=q>X</p>"),
        ("p.z{font-size:0}", "<p class='y z'>X</p>"),
        ("[x]{display:none}", "<p x>X</p>"),
        ("[x='a b']{display:none}", "<p x='a b'>X</p>"),
        ("p{color:red}.b , .a{DISPLAY : None !important;color:red}", "<p class=a>X</p>"),
        (".a{opacity:0}", "<p class=a>X <b class=a>X</b></p>"),
        (".a{position:absolute;left:-9999px}", "<p class=a>X</p>"),
        (".a{clip:rect(0, 0, 0, 0)}", "<p class=a>X</p>"),
        (".a{font:0/0 serif}", "<p class=a>X</p>"),
        (".a{font-size:.1px}", "<p class=a>X <b style='font-size:2em'>X</b></p>"),
        (".a{d\\69splay:none}", "<p class=a>X</p>"),
        (".a/* } */{/* x */display:none}", "<p class=a>X</p>"),
        (".b:after{content:'}'} .a{display:none}", "<p class=a>X</p>"),
        ("@media screen{.a{display:none}}", "<p class=a>X</p>"),
        ("@layer x{@supports (color:red){.a{display:none}}}", "<p class=a>X</p>"),
        ("div > p.a b{display:none}", "<div><p class=a><i><b>X</b></i></p></div>"),
        ("body div div>span{display:none}", "<div><div><div><span>X</span></div></div></div>"),
        ("p:not(.b):is(.a){display:none}", "<p class=a>X</p>"),
        (":is(.b,.a){display:none}", "<p class=a>X</p>"),
        (".a{display:block}.a{display:none}", "<p class=a>X</p>"),
        ("p.a{display:none}.a{display:block}", "<p class=a>X</p>"),
        (".a{display:none!important}#q{display:block}", "<p class=a id=q>X</p>"),
        (".a{visibility:hidden}", "<p class=a>X <img alt=X><b>X</b></p>"),
        ("@media all{.a{display:none", "<p class=a>X</p>"),
        ("", "<p style='font-size:0'>X</p>"),
        ("", "<p style='left:-9999px'>X</p>"),
        ("", "<p style='display:none !important'>X</p>"),
        (".a{display:none}", "<p class=a style='color:red'>X</p>"),
    ],
)
def test_what_a_style_hides_is_left_out(css: str, element: str) -> None:
    assert seen(f"<p>a page that is seen</p>{element}<p>b</p>", css) == "a page that is seen b"


@each_case(
    ("css", "element"),
    [
        (".b{display:none}", "<p class=a>X</p>"),
        ("@media print{.a{display:none}}", "<p class=a>X</p>"),
        ("@media (max-width:600px){.a{display:none}}", "<p class=a>X</p>"),
        (".tab{display:none}.tab.active{display:block}", "<p class='tab active'>X</p>"),
        (".a{display:none}#q{display:block}", "<p class=a id=q>X</p>"),
        (".a{display:none}", "<p class=a style='display:block'>X</p>"),
        (".a{visibility:hidden}.b{visibility:visible}", "<div class=a><p class=b>X</p></div>"),
        (".a{font-size:0}", "<div class=a><p style='font-size:13px'>X</p></div>"),
        ("p.a > b{display:none}", "<p class=a><i><b>X</b></i></p>"),
        (".a{font-size:0.9em;opacity:0.5;left:-10px;margin-left:-100%}", "<p class=a>X</p>"),
        (".a:hover{display:none}", "<p class=a>X</p>"),
        (".a::before{display:none}", "<p class=a>X</p>"),
        ("body{display:none}html{visibility:hidden}", "<p>X</p>"),
        ("}}{.a[{display:none}", "<p class=a>X</p>"),
    ],
)
def test_what_a_style_shows_is_kept(css: str, element: str) -> None:
    assert seen(f"<p>a</p>{element}<p>b</p>", css) == "a X b"


def test_a_page_that_waits_to_be_faded_in_is_read() -> None:
    assert seen("<main>The harbour master is in.</main><p>a</p>", "main{opacity:0}") == "The harbour master is in. a"


@pytest.mark.parametrize(("media", "text"), [("print", "X"), ("screen", ""), ("all", "")])
def test_a_style_sheet_for_print_hides_nothing(media: str, text: str) -> None:
    assert seen("<p class=a>X</p>", ".a{display:none}", f"<style media={media}>") == text


def test_the_file_is_read_without_what_its_style_sheet_hides() -> None:
    css = "<style>.a{display:none} [x]{display:none}</style>"
    assert html_to_markdown(f"{css}<p class=a>Total: 1.00</p><p x>Total: 2.00</p><p>Total: 99.00</p>") == "Total: 99.00"


def test_comparisons_are_counted() -> None:
    """A page of deep elements and a sheet of long selectors cost no more than the bound."""
    css = "".join(f"b b b b b b b p[x{number}]{{display:none}}" for number in range(5_100)) + "[y]{display:none}"
    assert seen(f"{'<b>' * 100}<p>a</p><p y>X</p>{'</b>' * 100}", css) == "a X"


def test_a_long_style_sheet_without_a_rule_is_read_at_once() -> None:
    assert seen("<p>a</p>", "a" * 400_000) == "a"
    assert seen("<p>a</p>", "/*" * 200_000) == "a"
    assert seen("<p>a</p>", '"' * 400_000) == "a"
