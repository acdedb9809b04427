"""Articles as trafilatura takes them from a page."""

from bs4 import BeautifulSoup
from lxml import html
from markdown_it import MarkdownIt

from tasks.scrape.page_file import article_of


def test_the_markdown_of_an_article_holds_no_markup_of_its_text() -> None:
    said = (
        "Read &amp;lt;b&gt; and &lt;script&gt;x&lt;/script&gt; and [a](javascript:x()), *a*, "
        "<a href='javascript:x'>go</a>. "
    )
    page = f"<body><article><h1>Signs</h1>{''.join(f'<p>{number}: {5 * said}</p>' for number in range(8))}</article>"
    article = article_of(html.fromstring(page))
    assert article is not None
    rendered = BeautifulSoup(MarkdownIt("commonmark").render(article.markdown), "lxml")
    assert rendered.find(["b", "script", "a", "em"]) is None
    assert "Read &lt;b> and <script>x</script> and [a](javascript:x()), *a*, " in rendered.get_text()
