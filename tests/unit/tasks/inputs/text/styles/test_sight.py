"""How well a reader sees the text of a page. Each page was compared with what Chromium draws."""

import pytest

from tasks.inputs.text import html_text
from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case

WORD = "Total"


def sight(html: str) -> str:
    """Return whether WORD is `seen`, `unsure` or `unseen` on a page."""
    page = f"<!doctype html><html><body><h1>Invoice</h1><p>of the third of May</p>{html}</body></html>"
    lines = html_text.html_to_markdown(page).split("\n")
    assert "of the third of May" in plain_form("\n".join(lines))
    found = [line for line in lines if WORD in plain_form(line)]
    if not found:
        return "unseen"
    return "unsure" if UNSURE in found[0] else "seen"


@each_case(
    "style",
    [
        "display: var(--x, none)",
        "display: none; display: nonsense",
        "display: none !important; display: block",
        "all: unset; display: none",
        "visibility: collapse",
        "opacity: 0.02",
        "color: #ddd; opacity: 0.31",
        "opacity: calc(0 * 3)",
        "transition: 1s; opacity: 0",
        "font: 0/0 a",
        "font-size: calc(1px - 1px)",
        "color: Canvas",
        "color: oklch(1 0 0)",
        "color: hwb(0 100% 0%)",
        "color: color(srgb 1 1 1)",
        "color: light-dark(white, black)",
        "color: rgb(0 0 0 / 1%)",
        "background: #333; color: #333",
        "background: linear-gradient(#333, #343434); color: #333",
        "-webkit-text-fill-color: #0000",
        "position: fixed; top: 200vh",
        "position: absolute; right: 9999px",
        "position: absolute; clip: rect(0 0 0 0)",
        "float: left; margin: -9999px",
        "rotate: y 90deg",
        "transform: matrix(0, 0, 0, 0, 0, 0)",
        "clip-path: ellipse(0 0)",
        "height: 0; overflow: auto",
        "content-visibility: hidden",
    ],
)
def test_a_style_hides_a_text(style: str) -> None:
    assert sight(f'<p style="{style}">{WORD}</p>') == "unseen"


@each_case(
    "style",
    [
        "color: color-mix(in srgb, white, white)",
        "color: rgb(from white r g b)",
        "background-image: url(a.png)",
        "background: linear-gradient(black, white)",
        "filter: invert(1)",
        "mix-blend-mode: screen",
        "mask: linear-gradient(#0002, #0002)",
        "clip-path: path('M0 0')",
        "transform: rotate(20deg)",
        "offset: path('M-9999 0')",
        "animation: x 1s; opacity: 0",
        "height: 30px; overflow: hidden",
        "overflow: hidden; white-space: nowrap; width: 45px",
        "text-decoration: line-through 40px white",
        "aspect-ratio: 100; overflow: hidden",
        "background: no-repeat linear-gradient(black, black) 2000px 0; color: white",
        "margin-left: -31px",
        "line-height: 0",
        "letter-spacing: -1em",
        "color: #e8e8e8",
        "opacity: 0.2",
        "color: transparent; background-clip: text; background-image: linear-gradient(red, blue)",
        "box-shadow: inset 0 0 0 99px black",
        "-webkit-text-security: disc",
        "unicode-bidi: bidi-override; direction: rtl",
        "margin-left: -200px",
        "display: none; x{} display: block",
        "width: calc(1px * sin(1)); overflow: hidden",
        "color: nonsense",
        "display: revert",
        "clip: rect(0 0 0 0)",
        "opacity: inherit",
        "font-size-adjust: 0",
        "height: 1%; overflow: hidden",
        "overflow: hidden; width: 200px",
        "background: black; color: white; background-clip: border-area",
        "text-indent: -99px",
        "word-spacing: -5em",
        "content-visibility: auto",
        "background: #000; color: #fff; border-radius: 150px",
    ],
)
def test_what_a_style_does_to_a_text_is_not_known(style: str) -> None:
    assert sight(f'<p style="{style}">{WORD}</p>') == "unsure"


@each_case(
    "style",
    [
        "color: #767676; padding: 10px; margin: 0 15px; border: 1px solid",
        "position: relative; top: 0",
        "background: #123; color: white",
        "background: linear-gradient(#000, #222); color: #fff",
        "background: #fff no-repeat left top",
        "overflow: hidden",
        "height: 100%; min-height: 0",
        "max-width: calc(100% - 20px)",
        "opacity: 0.9; transform: none; filter: none",
        "display: nonsense; display: block",
        "display: -ms-flexbox; display: flex",
        "-premailer-width: 10px; mso-hide: all; -moz-transform: scale(0)",
        "font: 700 italic 1em/150% 'Open Sans', Arial; border-radius: 4px; box-shadow: 0 2px 4px rgba(0, 0, 0, 0.16)",
        "overflow: hidden; max-width: 600px; width: 100%; border-radius: 8px",
        "padding: 10px 18px; display: inline-block; line-height: 120%; text-decoration: none",
        "color: rgba(0,0,0,.87); letter-spacing: -0.5px; direction: ltr; vertical-align: top",
        "-webkit-text-stroke-width: 0px; text-indent: 0; white-space: normal; float: none",
        "text-shadow: 1px 1px #ccc",
        "transition: opacity 1s",
        "font: bold 12px/1.4 Arial, sans-serif",
        "outline-offset: 2px; z-index: 3; letter-spacing: 0.1em",
    ],
)
def test_a_style_leaves_a_text_in_sight(style: str) -> None:
    assert sight(f'<p style="{style}">{WORD}</p>') == "seen"


@each_case(
    "style",
    [
        "display: none; display: box",
        "max-height: 0; overflow: hidden; max-height: auto",
        "font-size: 0; font-size: normal",
        "font-size: 0; font: 12px",
        "opacity: 0; opacity: visible",
        "color: white; color: 000",
        "clip-path: inset(100%); clip-path: auto",
        "display: none; -webkit-display: block",
        "position: absolute; left: -9999px; left: none",
        "color: white; background: #000 left left",
        "color: white; background: #000 top 5px",
        "color: white; background: #000 / 10px",
        "color: white; background: linear-gradient(foo, #000, #000)",
        "color: white; background: linear-gradient(#000 #000)",
        "font-size: 0; font: bold bold 16px serif",
        "font-size: 0; font: 16px inherit",
        "font-size: 0; font: 16px serif,",
    ],
)
def test_a_text_that_a_browser_hides_is_not_seen_for_a_later_value_that_it_drops(style: str) -> None:
    assert sight(f'<p style="{style}">{WORD}</p>') != "seen"


@each_case(
    "html",
    [
        "<p style='transform: translate(-20px)'>x</p>",
        "<p style='position: absolute; top: 5px'>x</p>",
        "<p style='margin-top: -20px'>x</p>",
        "<p style='made-up: 1'>x</p>",
        "<p style='font-size: 80px; line-height: 0; color: white'>██</p>",
        "<p><span style='background: white; padding: 40px 0'>x</span></p>",
        "<p><span style='border-top: 30px solid white'>x</span></p>",
        "<p style='box-shadow: 0 0 0 300px white'>x</p>",
        "<p style='text-shadow: 0 -20px white'>x</p>",
        "<p style='text-decoration: overline 30px white'>x</p>",
        "<p style='-webkit-text-stroke: 40px white'>x</p>",
        "<p style='filter: drop-shadow(0 -50px white)'>x</p>",
        "<svg style='overflow: visible' width=1 height=1></svg>",
        "<style>.a::before { transform: scale(9) }</style><p class=a>x</p>",
        "<style>.a, .b::made-up { color: black }</style>",
        "<style>[|class=a] { color: black }</style>",
        "<style>.a { color: black; &.b { color: white } }</style>",
        "<style>@container (min-width: 1px) { .a { color: white } }</style>",
        "<style disabled>.a { color: white }</style>",
        "<p style='box-shadow: 0 0 0 60px #fff; box-shadow: 1px'>x</p>",
        f"<p style='box-shadow: {', '.join(['0 0 0 60px rgba(255, 255, 255, 0.3)'] * 9)}'>x</p>",
        "<p style='outline: 4px solid #fff; outline-offset: 9px'>x</p>",
        "<p><b style='border-block: 40px solid #fff'>x</b></p>",
        "<p><b style='background: #fff; padding-block: 40px'>x</b></p>",
        "<p style='line-height: 0.6'><mark>x</mark></p>",
        "<p style='all: initial'>x</p>",
        "<style type='text/css; charset=utf-8'>.a { color: white }</style>",
        "<svg><style>.a { color: white }</style></svg>",
    ],
)
def test_what_may_lie_on_others_or_is_not_understood_makes_the_page_unsure(html: str) -> None:
    assert sight(f"{html}<p>{WORD}</p>") == "unsure"


@each_case(
    "html",
    [
        "<div style='display: none; position: absolute; left: -9999px; opacity: 0; mso-hide: all'>Preview</div>",
        "<div style='max-height: 0; max-width: 0; overflow: hidden; font-size: 1px; line-height: 1px'>Preview</div>",
        "<div style='font-size: 1px; color: white; line-height: 1px'>Preview</div>",
        "<style>.b { -ms-transform: scale(9) } .a::-moz-focus-inner { color: red } ::selection { color: red }</style>",
        "<style>.none { position: fixed; transform: scale(9) }</style>",
        "<style>@media (max-width: 480px) { p { font-size: 0; position: absolute } }</style>",
    ],
)
def test_a_usual_style_that_hides_its_element_makes_no_other_text_unsure(html: str) -> None:
    assert sight(f"{html}<p>{WORD}</p>") == "seen"


@each_case(
    "html",
    [
        "<div style='height: 20px'>x<br>x<br>{}</div><div style='position: relative; background: #fff'>x</div>",
        "<div style='max-height: 20px'>x<br>{}</div><input style='width: 900px; height: 100px'>",
        "<div style='display: grid; grid-template-rows: 10px 1fr'><p><br>{}</p><p style='background: #fff'>x</p></div>",
        "<p>{}</p><div style='display: flex; align-items: end; height: 1px'><p style='background: #fff'>x</p></div>",
        "<div style='float: left'>{}</div><div style='opacity: 0.9; background: #fff'>x</div>",
        "<table align=left><tr><td>{}</table><div style='isolation: isolate; background: #fff'>x</div>",
        "<div style='display: flex'><p style='width: 10px'>{}</p><p style='background: #fff'>x</p></div>",
        "<b style='display: inline-block; width: 9px'>{}</b><b style='display: inline-block; background: #fff'>x</b>",
        "<table style='table-layout: fixed'><tr><td><nobr>{}</nobr><td style='opacity: 0.9; background: red'></table>",
        "<dialog open>x</dialog><p>{}</p>",
        "<p>{}</p><svg width=900 height=1 overflow=visible><rect y=-90 width=900 height=200 fill=white /></svg>",
    ],
)
def test_what_exceeds_its_place_is_unsure_beside_what_may_be_drawn_over_it(html: str) -> None:
    assert sight(html.format(WORD)) == "unsure"


@each_case(
    "html",
    [
        "<div style='overflow: hidden'><p style='border-left: 1300px solid #fff'>{}</p></div>",
        "<div style='overflow: hidden'><table cellspacing=1300><tr><td>{}</table></div>",
        "<div style='overflow: hidden; width: 600px'><p style='width: 900px; text-align: right'>{}</p></div>",
        "<div style='overflow: hidden'><table><tr><td><hr width=1400><td>{}</table></div>",
        "<div style='overflow: hidden'>" + "<blockquote>" * 30 + "{}",
        "<div style='overflow: hidden; width: 600px'><p style='letter-spacing: 9em'>x{}</p></div>",
        "<style>body {{ overflow-x: hidden }}</style><div style='width: 110%; text-align: right'>{}</div>",
        "<div style='display: flex; justify-content: end'><p>{}</p><p style='flex: none; width: 1290px'>x</p></div>",
        "<div dir=rtl style='width: 100px'><div style='width: 1300px' dir=ltr>{}</div></div>",
        "<div style='width: 100px'><div style='float: right; width: 1000px'>{}</div></div>",
    ],
)
def test_what_may_be_pushed_out_of_an_area_or_the_window_is_unsure(html: str) -> None:
    assert sight(html.format(WORD)) == "unsure"


@each_case(
    "html",
    [
        "<div style='overflow: hidden'><blockquote>{}</blockquote></div>",
        "<div style='float: left'>{}</div><div style='background: #eee'>x</div>",
        "<div style='height: 40px'>{}</div><a style='display: inline-block; background: #eee'>x</a>",
        "<table style='background: #036; color: #fff'><tr><td>x<td>{}</table>",
        "<div style='display: flex; background: #eee'><p>x</p><p>{}</p></div>",
    ],
)
def test_what_certainly_has_its_place_is_seen(html: str) -> None:
    assert sight(html.format(WORD)) == "seen"


@each_case(
    ("css", "expected"),
    [
        ("p.a { display: none } p { display: block }", "unseen"),
        (".a { display: none !important } p.a { display: block }", "unseen"),
        (".a { display: none } p { display: block }", "unseen"),
        (".a { display: none } p.a { display: block }", "seen"),
        ("@layer b, c; @layer c { .a { display: none } } @layer b { p.a { display: block } }", "unseen"),
        ("@layer c { .a { display: none } } .a { display: block }", "seen"),
        ("@layer c { .a { display: none !important } } p.a { display: block !important }", "unseen"),
        (".a:hover { display: block } .a { display: none }", "unseen"),
        (".a { display: none } .a::before { display: block }", "unseen"),
        ("body:has(h1) .a { display: none }", "unseen"),
        ("p:nth-child(1 of .a) { display: none }", "unseen"),
        ("p:not(:hover, .b):last-child { display: none }", "unseen"),
        ("[id='I' i] { display: none }", "unseen"),
        ("@media (width >= 1px) { .a { display: none } }", "unseen"),
        ("@media (900px > width) { .a { display: none } }", "seen"),
        ("@media not print { .a { display: none } }", "unseen"),
        ("@media screen and (hover), print { .a { display: none } }", "unseen"),
        ("@media (prefers-color-scheme: dark) { .a { display: none } }", "seen"),
        ("@media (min-resolution: 2dppx) { .a { display: none } }", "unsure"),
        (".a { display: none } @media print { .a { display: block } }", "unseen"),
        ("@supports (display: grid) { .a { display: none } }", "unseen"),
        ("@supports not (display: grid) { .a { display: none } }", "seen"),
        ("@supports (display: nonsense) { .a { display: none } }", "unsure"),
        (".a { display: none } @supports (color: 000000) { .a { display: block } }", "unsure"),
        (".a { display: none } @media screen and (hover) or (color) { .a { display: block } }", "unsure"),
        (".a { display: none } @media (color: 1) { .a { display: block } }", "unsure"),
        (".a { display: none } @media (max-width: 165ex) { .a { display: block } }", "unsure"),
        ("@layer { .b { color: red } } @layer { #i { display: block } } @layer { .a { display: none } }", "unseen"),
        ("@layer b { #i { display: block } } @layer B { .a { display: none } }", "unseen"),
        (".a { display: none } @layer b, c { .a { display: block !important } }", "unsure"),
        (".a { display: none } @layer 1 { .a { display: block !important } }", "unsure"),
        (".a { display: none } [class~=c] { display: block }", "unseen"),
        (".a { display: none } [title='k' i] { display: block }", "unseen"),
        ("h1 + u, u+b, p { display: block } u+p { display: none }", "unsure"),
        ("p:lang(de) { display: none }", "unsure"),
        ("@none; @import 'data:text/css,.a{display:none}';", "unsure"),
        ("@import 'data:text/css,.a{display:none}';", "unseen"),
        ("@import 'data:text/plain,.a{display:none}';", "unsure"),
        ("@font-face { font-family: 'x,y'; src: url(data:font/woff2;base64,AA) }", "unsure"),
        ("@font-face { font-family: x; src: url(data:font/woff2;base64,AA); src: local(x) }", "unsure"),
        ("@font-face { font-family: x; src: local('Arial'); size-adjust: 0% }", "unsure"),
        ("@font-face { font-family: x; src: local('x'), url(https://a/x.woff2) format('woff2') }", "seen"),
        ("@supports (made: up) { .a { display: none } }", "unsure"),
        ("@container (min-width: 1px) { .a { display: none } }", "unsure"),
        ("@scope (body) to (.q) { :scope .a { display: none } }", "unseen"),
        ("@scope (body) to (.a) { .a { display: none } }", "unsure"),
        ("@property --n { syntax: '*'; inherits: true; initial-value: none } .a { display: var(--n) }", "unsure"),
        (".a { --n: none } .a { display: var(--n) }", "unseen"),
        (".a { display: var(--n) }", "unsure"),
        ("<!-- .a { display: none } -->", "unseen"),
        (".a { display: none", "unseen"),
        (".a, :made-up { display: none }", "unsure"),
        (".a, .b:: { display: none }", "seen"),
        (".a { opacity: 0; animation: k 1s }", "unsure"),
        (".a::first-line { color: white }", "unsure"),
        (".a::first-letter { float: right }", "unsure"),
        (".a::before { content: '-' }", "unsure"),
        (".a::before { content: '•' }", "seen"),
        (".a { display: list-item } .a::marker { content: '9' }", "unsure"),
        (".a { display: list-item; list-style: inside '9' }", "unsure"),
        (".a { display: flex; flex-wrap: wrap-reverse }", "unsure"),
        (".a { color: rgb(17 24 39 / 1); -webkit-hyphens: auto }", "seen"),
        (".a::after { content: ''; position: absolute; inset: 0; background: white }", "unsure"),
        ("body { background: #222 } .a { color: #222 }", "unseen"),
        ("@font-face { font-family: x; src: url(data:font/woff2;base64,AA) } .a { font-family: x }", "unsure"),
        ("h1 { position: absolute; inset: 0; background: white }", "unsure"),
        ("h1 { margin-bottom: -99px; background: white }", "unsure"),
        (".a { color: white } .b { background: black }", "unseen"),
    ],
)
def test_a_style_sheet_hides_a_text_or_not(css: str, expected: str) -> None:
    page = f"<style>{css}</style><p id=i class='a x\u00a0c' title='\u212a'>{WORD}</p>"
    assert sight(page) == expected


@each_case(
    ("html", "expected"),
    [
        ("<style media='(min-width: 1px)'>.a { display: none }</style><p class=a>Total</p>", "unseen"),
        ("<style media=print>.a { display: none }</style><p class=a>Total</p>", "seen"),
        ("<link rel=stylesheet href=a.css><p>Total</p>", "unsure"),
        ("<link rel=stylesheet href='https://fonts.googleapis.com/css?family=A'><p>Total</p>", "seen"),
        ("<script type='application/ld+json'>{}</script><p>Total</p>", "seen"),
        ("<script>var a = 'b';</script><p>Total</p>", "seen"),
        ("<script>a.hidden = true</script><p>Total</p>", "unsure"),
        ("<p onclick='x()'>Total</p>", "unsure"),
        ("<p style='outline: 60px solid white'>x</p><p>Total</p>", "unsure"),
        ("<p>Total</p><svg style='position: absolute; top: 0'><rect fill=white /></svg>", "unsure"),
        ("<p>Total</p><p style='position: absolute; top: 0; font-size: 99px; color: white'>██</p>", "unsure"),
        ("<div style='background: black; color: white'><span style='float: left'>Total</span></div>", "unsure"),
        ("<span style='background: black; color: white'><p>Total</p></span>", "unseen"),
        ("<div style='position: relative; left: -90px'>" * 9 + "Total", "unsure"),
        ("<div style='display: flex'><p style='flex: 0 0 0; overflow: hidden'>Total</p></div>", "unsure"),
        ("<pre style='filter: invert(1)'>The\nTotal</pre>", "unsure"),
        ("<style>.a { display: none }</style><script>show()</script><p class=a>Total</p>", "unseen"),
        ("<details><summary>More</summary><p>Total</p></details>", "unsure"),
        ("<details open><summary>More</summary><p>Total</p></details>", "seen"),
        ("<select><option>a</option><option>Total</option></select>", "unsure"),
        ("<select><option selected>Total</option></select>", "seen"),
        ("<details open name=a><summary>More</summary><p>Total</p></details>", "unsure"),
        ("<style>:focus ~ p { display: none }</style><input autofocus><p>Total</p>", "unsure"),
        ("<style>a:visited { color: white }</style><a href=''>Total</a>", "unsure"),
        ("<style>a:link { color: red } a:visited { color: blue }</style><a href=''>Total</a>", "seen"),
        ("<body vlink=white><a href=''>Total</a>", "unsure"),
        ("<body link=blue vlink=purple><a href=''>Total</a>", "seen"),
        ("<math><semantics><mn>1</mn><mtext>Total</mtext></semantics></math>", "unsure"),
        ("<math><mspace>Total</mspace></math>", "unsure"),
        ("<bdo dir=rtl>Total</bdo>", "unsure"),
        ("<ruby>x<rp>Total</rp></ruby>", "unseen"),
        ("<img src=a.png alt='The Total'>", "unsure"),
        ("<div style='visibility: hidden'>x<i style='visibility: visible'>Total</i></div>", "seen"),
        ("<div style='height: 0; overflow: hidden'><p style='position: absolute'>Total</p></div>", "unsure"),
        ("<div style='color: white'><a href=x>Total</a></div>", "seen"),
        ("<span style='height: 0; overflow: hidden'>Total</span>", "seen"),
        ("<table><tr><td style='height: 0; overflow: hidden'>Total</td><td>x</td></tr></table>", "seen"),
        (
            "<div style='position: relative'>Total<div style='position: absolute; background: #fff'>x</div></div>",
            "unsure",
        ),
        ("<details>Total<summary>More</summary></details>", "unsure"),
        ("<details><summary>More</summary><summary>Total</summary></details>", "unsure"),
        ("<p hidden=until-found style='display: block'>Total</p>", "unseen"),
        ("<font color=fffffffff>Total</font>", "unsure"),
        ("<font color='000080'>Total</font>", "seen"),
        ("<math><mtext mathsize=0px>Total</mtext></math>", "unsure"),
        ("<div style='visibility: hidden; background: #000'><p style='visibility: visible'>Total</p></div>", "unsure"),
        ("<div style='background: #000; height: 20px; color: #fff'><br><br>Total</div>", "unsure"),
        ("<div style='display: flex; overflow: hidden'><p style='flex: 0 0 100%'>x</p><p>Total</p></div>", "unsure"),
        ("<div style='overflow: hidden; white-space: nowrap'><i style='width: 1300px'>x</i>Total</div>", "unsure"),
        ("<div style='width: 9%'><div style='width: 9%; overflow: hidden'>Total</div></div>", "unsure"),
        ("<div>Total<template shadowrootmode=open></template></div>", "unsure"),
        ("<div style='background: #000'><input style='background: none' value=Total></div>", "unseen"),
        ("<div style='background: #000'><button style='background: none'>Total</button></div>", "unseen"),
        ("<fieldset disabled><input style='background: #545454' value=Total></fieldset>", "unseen"),
        ("<input style='width: 30px' value=Total>", "unsure"),
        ("<input style='text-indent: 400px' value=Total>", "unsure"),
        ("<select style='width: 20px'><option selected>Total</select>", "unsure"),
        ("<input style='width: 100%' value=Total>", "seen"),
        (
            "<div style='background: #000; color: #fff; width: 100px'><i style='margin-left: 200px'>Total</i></div>",
            "unsure",
        ),
        ("<div style='background: #000; color: #fff'><table align=left><tr><td>Total</table></div>", "unsure"),
    ],
)
def test_elements_hide_a_text_or_not(html: str, expected: str) -> None:
    assert sight(html) == expected


def test_a_mail_as_shops_send_it_is_seen() -> None:
    mail = """<html><head><meta name="color-scheme" content="light dark">
        <link href="https://fonts.googleapis.com/css2?family=Inter" rel="stylesheet"><style>
        body { margin: 0; width: 100% !important; -webkit-text-size-adjust: 100% }
        .ExternalClass * { line-height: 100% }
        table, td { border-collapse: collapse; mso-table-lspace: 0 }
        .btn { transition: all 100ms } .btn:hover { color: red }
        img { border: 0; outline: none; display: block } a[x-apple-data-detectors] { color: inherit !important }
        @media only screen and (max-width: 600px) { .wide { display: none !important } }
        @media (prefers-color-scheme: dark) { .bg { background: #000 !important; color: #fff !important } }
        @media (min-resolution: 2dppx) { .r { width: 50% } }</style></head>
        <body bgcolor="#f6f9fc"><div style="display: none; max-height: 0; overflow: hidden; mso-hide: all">Preview</div>
        <table class="bg" width="100%"><tr><td align="center" style="padding: 20px 0">
        <table style="width: 600px; background-color: #fff; border-radius: 8px; overflow: hidden;
        box-shadow: 0 2px 4px #ccc">
        <tr><td style="background-color: #556cd6; color: #fff; font: bold 20px/24px Arial">Receipt</td></tr>
        <tr><td height="20" style="height: 20px; font-size: 1px; line-height: 20px">&nbsp;</td></tr>
        <tr><td class="wide" style="font-size: 16px; color: #525f7f">Paid
        <span style="white-space: nowrap">120.00 EUR</span>
        <a class="btn" style="display: inline-block; background: #556cd6; color: #fff;
        white-space: nowrap">Open</a></td></tr>
        </table></td></tr></table></body></html>"""
    assert html_text.html_to_markdown(mail).split() == ["Receipt", "Paid", "120.00", "EUR", "Open"]


def test_names_are_the_same_in_capitals_on_a_page_without_a_document_type() -> None:
    page = "<style>.A { display: none }</style><p>shown</p><p class=a>hidden</p>"
    assert html_text.html_to_markdown(page) == "shown"
    assert "hidden" in html_text.html_to_markdown(f"<!doctype html>{page}")
    old = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN">'
    assert html_text.html_to_markdown(f"{old}{page}") == "shown"
    newer = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/x.dtd">'
    assert UNSURE not in html_text.html_to_markdown(f"{newer}{page}")
    assert html_text.html_to_markdown(f"<!doctype made up>{page}").count(UNSURE) >= 2


@each_case(
    ("html", "expected"),
    [
        ("<link rel=stylesheet href='http://['><p>Total</p>", "unsure"),
        ("<link rel=stylesheet href='data:text/css,link~p%7Bdisplay:none}'><p>Total</p>", "unseen"),
        ("<link rel=stylesheet href='data:text/css;base64,bGlua35we2Rpc3BsYXk6bm9uZX0='><p>Total</p>", "unseen"),
        ("<link rel=stylesheet href='data:text/css;base64,!!LmF7ZGlz'><p>Total</p>", "unsure"),
        ("<link rel=stylesheet href='data:,p{display:none}'><p>Total</p>", "unsure"),
        ("<link rel=stylesheet href='data:text/css,b{}#c{} p{display:none}'><p>Total</p>", "unsure"),
        ("<link rel=stylesheet integrity=sha256-A href='data:text/css,p{display:none}'><p>Total</p>", "unsure"),
        ("<link rel='a&nbsp;stylesheet' href='data:text/css,p{display:none}'><p>Total</p>", "seen"),
        ("<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p>Total</p>", "unsure"),
        ("<style>@import url(http://[);</style><p>Total</p>", "unsure"),
        (f"<style>p {{ width: {'9' * 5_000}px }}</style><p>Total</p>", "unsure"),
        (f"<p style='left: -{'9' * 5_000}px; position: absolute'>Total</p>", "unseen"),
        (f"<style media='(min-width: {'9' * 1_900}px)'>p {{ display: none }}</style><p>Total</p>", "seen"),
        ("<p style='color: color(--own)'>Total</p>", "unsure"),
        (f"<p style='color: {'light-dark(' * 3_000}'>Total</p>", "unsure"),
        (
            f"<style>@media (color: {'(' * 3_000}{')' * 3_000}) {{ p {{ display: none }} }}</style><p>Total</p>",
            "unsure",
        ),
    ],
)
def test_a_style_that_the_parser_does_not_expect_refuses_no_page(html: str, expected: str) -> None:
    assert sight(html) == expected


def test_a_page_with_more_rules_than_are_read_is_unsure() -> None:
    assert sight(f"<style>{'i{color:red}' * 50_000}</style><p>{WORD}</p>") == "unsure"


@pytest.mark.deep
def test_a_page_with_too_many_rules_for_its_elements_is_unsure() -> None:
    assert sight(f"<style>{'*{top:1px}' * 30}</style>{'<i>b</i>' * 20_000}<p>{WORD}</p>") == "unsure"


@pytest.mark.deep
def test_a_page_on_which_too_many_elements_inherit_too_many_properties_is_unsure() -> None:
    properties = "".join(f"--a{number}: 1;" for number in range(20_000))
    elements = "".join(f"<i style=--b{number}:1>b</i>" for number in range(50_000))
    assert sight(f"<style>:root {{ {properties} }}</style>{elements}<p>{WORD}</p>") == "unsure"


def test_a_page_with_too_many_declarations_for_its_elements_is_unsure() -> None:
    elements = "".join(f"<p style='margin: {at / 1000}px'>x</p>" for at in range(600))
    assert sight(f"<style>p {{ {'color: red;' * 1000} }}</style>{elements}<div>{WORD}</div>") == "unsure"


def test_a_page_with_too_long_styles_of_elements_is_unsure() -> None:
    many = "".join(f"<p style='margin: {at / 1000}px; --a: {'b' * 10_000}'></p>" for at in range(210))
    assert sight(f"{many}<p>{WORD}</p>") == "unsure"


def test_a_page_with_too_many_different_styles_of_elements_is_unsure() -> None:
    many = "".join(f"<p style='margin: {at / 1000}px'></p>" for at in range(21_000))
    assert sight(f"{many}<p>{WORD}</p>") == "unsure"
