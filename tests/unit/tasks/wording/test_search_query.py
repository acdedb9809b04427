"""What is searched for: words without instructions, the site, and how new it shall be."""

from datetime import date

from tasks.wording.search_query import Freshness, SearchQuery, freshness_in, orders_search, parse_query
from tests.conftest import each_case

TODAY = date(2026, 11, 20)


def parsed(text: str) -> SearchQuery:
    return parse_query(text, TODAY)


@each_case(
    ("text", "words"),
    [
        ("Search the web for the best pizza in Naples", "the best pizza in Naples"),
        ("Please search the internet for: tide tables!", "tide tables!"),
        ("Can you look up who invented the zip?", "who invented the zip?"),
        ("Google the opening hours of the Louvre", "the opening hours of the Louvre"),
        ("Search engine market share", "Search engine market share"),
        ("Use the internet to check whether the bridge is open", "whether the bridge is open"),
        ("Do a quick web search for cheap flights, please", "cheap flights"),
        ("Cherche sur le web un hôtel à Lyon", "un hôtel à Lyon"),
        ("Busca en internet vuelos a Lima", "vuelos a Lima"),
        ("Найди в интернете рецепт борща", "рецепт борща"),
        ("東京の天気を検索して", "東京の天気"),
        ('"exact words"', '"exact words"'),
        ("Search the web", "Search the web"),
    ],
)
def test_words_that_tell_to_search_are_not_searched_for(text: str, words: str) -> None:
    assert parsed(text).text == words


@each_case(
    ("text", "site", "words"),
    [
        ("diffusion models on arxiv.org", "arxiv.org", "diffusion models"),
        ("site:arxiv.org diffusion models", "arxiv.org", "diffusion models"),
        ("Search arxiv.org for diffusion models", "arxiv.org", "diffusion models"),
        ("Find papers on https://arxiv.org/list/cs about diffusion", "arxiv.org", "papers about diffusion"),
        ("Nachrichten auf tagesschau.de", "tagesschau.de", "Nachrichten"),
        ("site:docs.python.org", "docs.python.org", "docs.python.org"),
        ("site:main.py", "main.py", "main.py"),
        ("what happens on main.py import", None, "what happens on main.py import"),
        ("how to host on ASP.NET", None, "how to host on ASP.NET"),
        ("write to me at someone@example.com", None, "write to me at someone@example.com"),
    ],
)
def test_a_site_is_taken_out_of_the_words(text: str, site: str | None, words: str) -> None:
    found = parsed(text)
    assert (found.site, found.text) == (site, words)


@each_case(
    ("text", "since", "until"),
    [
        ("AI news since 2025", "2025-01-01", None),
        ("elections since March 2026", "2026-03-01", None),
        ("floods since Mar 5, 2026", "2026-03-05", None),
        ("releases since 2026-10-02", "2026-10-02", None),
        ("papers published in 2024", "2024-01-01", "2024-12-31"),
        ("papers published on 2024-02-03", "2024-02-03", "2024-02-03"),
        ("what changed in the past 3 weeks", "2026-10-30", None),
        ("the past couple of days", "2026-11-18", None),
        ("What are today's headlines?", "2026-11-19", None),
        ("Who won the match last night?", "2026-11-18", None),
        ("What did the Fed decide this week?", "2026-11-13", None),
        ("the best films this year", "2026-01-01", None),
        ("the best films of last year", "2025-01-01", None),
        ("What is the latest news about the election?", "2026-11-13", None),
        ("the newest release of PostgreSQL", "2025-11-20", None),
        ("Was sind die neuesten Nachrichten aus Berlin?", "2026-11-13", None),
        ("2025年以来的新闻", "2025-01-01", None),
        ("最新のニュースを検索して", "2026-11-13", None),
    ],
)
def test_how_new_it_shall_be_is_understood(text: str, since: str, until: str | None) -> None:
    end = date.fromisoformat(until) if until else TODAY
    assert freshness_in(text, TODAY) == Freshness(date.fromisoformat(since), end, TODAY)


@each_case(
    "text",
    [
        "the capital of France",
        "since 2031",
        "since 2025-13-40",
        "published in 2031",
        "the past 999 years",
        "",
    ],
)
def test_what_says_nothing_of_it_is_not_misread(text: str) -> None:
    assert freshness_in(text, TODAY) is None


@each_case(
    ("text", "orders"),
    [
        ("Search the web for trains", True),
        ("What is the weather in Oslo right now?", False),
    ],
)
def test_a_search_is_ordered_or_only_of_use(text: str, orders: bool) -> None:
    assert orders_search(text) is orders
