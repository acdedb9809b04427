"""The tree of an HTML page is the one that browsers build. What they build was compared with Chromium's."""

from lxml import html as lxml_html

from tasks.inputs.text.html_soup import soup_of
from tasks.inputs.text.html_text import html_to_markdown
from tasks.inputs.text.html_tree import lxml_tree_of
from tasks.markdown_text import UNSURE, plain_form
from tests.conftest import each_case


def body(html: str) -> str:
    """Return the body of the tree as HTML, after checking that BeautifulSoup and lxml have the same."""
    tree = soup_of(f"<!doctype html>{html}").tree
    assert tree.body is not None
    text = lxml_html.tostring(lxml_tree_of(f"<!doctype html>{html}").find("body"), encoding="unicode", method="html")
    assert str(tree.body) == text
    return text.removeprefix("<body>").removesuffix("</body>")


@each_case(
    ("html", "tree"),
    [
        ("<p id='a'/>b</p>", '<p id="a">b</p>'),
        ("<p><b>c</p><p>d", "<p><b>c</b></p><p><b>d</b></p>"),
        ("<table><p>e</p><tr><td>f", "<p>e</p><table><tbody><tr><td>f</td></tr></tbody></table>"),
        ("<tr><td>g</td></tr>", "g"),
        ("<h2>h<h3>i</h3>", "<h2>h</h2><h3>i</h3>"),
        ("<form>j<form>k</form>l</form>", "<form>jk</form>l"),
        ("<button>m<button>n", "<button>m</button><button>n</button>"),
        ("<svg><p>o</p></svg>", "<svg></svg><p>o</p>"),
        ("<o:p>q</o:p>", "<o:p>q</o:p>"),
        ("<P CLASS=r>s", '<p class="r">s</p>'),
        ("<frameset></frameset><p>t", "<p>t</p>"),
        ("u\0v\ud800w\r\nx", "uv?w\nx"),
        ("<plaintext><b>y", "<plaintext>&lt;b&gt;y</plaintext>"),
    ],
)
def test_elements_are_placed_as_in_browsers(html: str, tree: str) -> None:
    assert body(f"<body>{html}") == tree


@each_case("tag", ["main", "section", "article", "time", "x-y", "p"])
def test_what_follows_the_head_stands_in_the_body(tag: str) -> None:
    for head in ("<title>t</title>", "<meta charset=utf-8>", "<style>a{}</style>"):
        assert body(f"{head}<{tag}>a</{tag}>") == f"<{tag}>a</{tag}>"


def test_names_and_characters_that_lxml_refuses_are_left_out() -> None:
    tree = lxml_tree_of('<body><p "q=1 r=2>&#11;a<b"c>d</b"c>')
    assert tree.findtext("body/p") == "\ufffda"
    assert dict(tree.find("body/p").attrib) == {"r": "2"}
    assert tree.findtext("body/p/span") == "d"


def test_a_page_without_anything_has_a_head_and_a_body() -> None:
    assert [one.tag for one in lxml_tree_of("").iter()] == ["html", "head", "body"]


def test_the_attributes_of_a_second_body_count_where_the_first_has_none() -> None:
    assert dict(lxml_tree_of("<body class=a><p>b</p><body class=c id=d>").find("body").attrib) == {
        "class": "a",
        "id": "d",
    }


@each_case(
    "html",
    [
        "<div>" * 100_000,
        "<b>" * 1000 + "<p>c" * 10_000,
        "<rt>" * 100_000,
        "<optgroup>" * 20_000,
        "<li><dd>" * 20_000,
        "<object>" * 20_000,
        "".join(f"<body a{number}>" for number in range(100_000)),
    ],
)
def test_a_page_whose_elements_are_nested_very_deeply_is_unsure(html: str) -> None:
    lines = html_to_markdown(f"<p>Total</p>{html}a").split("\n")
    assert plain_form(lines[0]) == "Total"
    assert UNSURE in lines[0]


@each_case(("start", "end"), [("<!--", "-->"), ("<script>", "</script>")])
def test_tags_in_comments_and_scripts_do_not_count_as_nested(start: str, end: str) -> None:
    assert soup_of(f"<p>a{start}{'<div>' * 1000}{end}").is_standard


@each_case("separator", [" ", "/", " b='>' ", '=""'])
def test_tags_with_very_many_attributes_are_not_built_by_the_standard(separator: str) -> None:
    """The parser compares each attribute with all others of its tag: 100,000 take 13 s."""
    many = "".join(f"a{number}{separator}" for number in range(100_000))
    assert not soup_of(f"<p {many}>Total</p>").is_standard
    few = "".join(f"a{number}{separator}" for number in range(200))
    assert soup_of(f"<p {few}>Total</p>").is_standard


def test_items_without_end_tags_are_not_nested() -> None:
    assert soup_of(f"<ul>{'<li>a' * 1000}<li><dl>{'<dt>b<dd>c' * 1000}</dl><li>d").is_standard
    assert soup_of("<dl><dd><ul><li>a</ul><dd>b</dl>" * 1000).is_standard


def test_names_of_classes_end_at_blanks_of_ascii_only() -> None:
    styles = "<style>.hidden{display:none}.b{display:block}</style>"
    page = f"<!doctype html>{styles}<p>Seen</p><p class='hidden a&nbsp;b'>Unseen</p>"
    assert html_to_markdown(page) == "Seen"
