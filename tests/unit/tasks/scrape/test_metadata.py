"""Structured data of a page: found, bounded, and never in the way of reading it."""

import json

from tasks.scrape.metadata import MAX_BYTES, MAX_DEPTH
from tests.kit.internet.web_pages import document, extract_page

URL = "https://h.example/page"


def metadata(head: str = "", body: str = "<p>text</p>") -> dict[str, object]:
    return dict(extract_page(document("T", body, head=head).encode(), URL, "utf-8").metadata)


def ld(data: object) -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return f'<script type="application/ld+json">{text}</script>'


def test_json_ld_is_found() -> None:
    found = metadata(ld("{broken") + ld({"@type": "Article"}), ld([{"@type": "Person"}, {"@type": "Place"}]))
    assert found["json_ld"] == [{"@type": "Article"}, {"@type": "Person"}, {"@type": "Place"}]


def test_halves_of_surrogate_pairs_do_not_make_a_page_unreadable() -> None:
    assert metadata(ld('{"\\udc00a": "\\ud800b"}'))["json_ld"] == [{"?a": "?b"}]


def test_opengraph_is_found_and_lists_are_lists() -> None:
    head = "".join(
        f'<meta property="og:{n}" content="{c}">' for n, c in [("type", "x"), ("image", "a"), ("image", "b")]
    )
    assert metadata(head)["opengraph"] == {"og:type": "x", "og:image": ["a", "b"]}


def test_microdata_is_found() -> None:
    body = (
        '<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Lamp</b>'
        '<a itemprop="url" href="/lamp">x</a></div>'
    )
    assert metadata(body=body)["microdata"] == [
        {"type": "https://schema.org/Product", "properties": {"name": "Lamp", "url": "https://h.example/lamp"}}
    ]


def test_basics_come_from_meta_link_and_time() -> None:
    head = (
        '<meta name="author" content="Ada"><meta property="og:site_name" content="Site">'
        '<link rel="canonical" href="/canon"><link rel="alternate" type="application/rss+xml" href="feed.xml">'
    )
    found = metadata(head, '<time datetime="2026-05-01">May</time>')
    assert {name: found[name] for name in ("author", "site_name", "canonical", "feeds", "date")} == {
        "author": "Ada",
        "site_name": "Site",
        "canonical": "https://h.example/canon",
        "feeds": ["https://h.example/feed.xml"],
        "date": "2026-05-01",
    }


def test_deep_data_is_cut() -> None:
    deep: object = "end"
    for _ in range(100):
        deep = {"a": deep}
    found = metadata(ld(deep))["json_ld"]
    assert json.dumps(found).count("{") == MAX_DEPTH + 1


def test_large_data_is_bounded() -> None:
    found = metadata(ld([{"text": "x" * 1900, "number": number} for number in range(100)]))["json_ld"]
    assert isinstance(found, list)
    assert len(found) > 10
    assert len(json.dumps(found, separators=(",", ":"))) <= MAX_BYTES + 1000
