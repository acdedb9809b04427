"""Answers of search engines in the form of their APIs, and pages for the links in the answers."""

import json
from typing import Any

from tests.kit.internet.web import response

LINKS = (
    ("Tides", "https://tides.example/", "Why the sea rises and falls."),
    ("The <strong>moon</strong> &amp; the sea", "https://moon.example/tides?utm_source=x", "How the moon\npulls."),
)


def as_json(answer: object, status: str = "200 OK") -> bytes:
    return response(json.dumps(answer).encode(), "Content-Type: application/json", status=status)


def searxng(*links: tuple[str, str, str], silent: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    results = [
        {
            "url": url,
            "title": title,
            "content": content,
            "publishedDate": None,
            "thumbnail": "",
            "engine": "duckduckgo",
            "template": "default.html",
            "parsed_url": ["https", "tides.example", "/", "", "", ""],
            "img_src": "",
            "priority": "",
            "engines": ["duckduckgo", "brave"],
            "positions": [place, place],
            "score": 4.0 / place,
            "category": "general",
        }
        for place, (title, url, content) in enumerate(links, start=1)
    ]
    return {
        "query": "tides",
        "number_of_results": 0,
        "results": results,
        "answers": [],
        "corrections": [],
        "infoboxes": [],
        "suggestions": ["high tide"],
        "unresponsive_engines": [list(engine) for engine in silent],
    }


def brave(*links: tuple[str, str, str]) -> dict[str, Any]:
    results = [
        {
            "title": title,
            "url": url,
            "is_source_local": False,
            "is_source_both": False,
            "description": description,
            "page_age": "2026-01-15T10:00:00",
            "profile": {"name": "Tides", "url": url, "long_name": "tides.example", "img": "https://imgs.example/a"},
            "language": "en",
            "family_friendly": True,
            "type": "search_result",
            "subtype": "generic",
            "meta_url": {"scheme": "https", "netloc": "tides.example", "hostname": "tides.example", "path": ""},
        }
        for title, url, description in links
    ]
    return {
        "query": {"original": "tides", "more_results_available": True, "country": "us"},
        "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}], "top": [], "side": []},
        "type": "search",
        "web": {"type": "search", "results": results, "family_friendly": True},
    }


def tavily(*links: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "query": "tides",
        "follow_up_questions": None,
        "answer": None,
        "images": [],
        "results": [
            {"url": url, "title": title, "content": content, "score": 0.9, "raw_content": None}
            for title, url, content in links
        ],
        "response_time": 1.1,
        "request_id": "123e4567-e89b-12d3-a456-426614174111",
    }


def serper(*links: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "searchParameters": {"q": "tides", "type": "search", "num": 10, "engine": "google"},
        "organic": [
            {"title": title, "link": url, "snippet": snippet, "date": "Jan 3, 2026", "position": place}
            for place, (title, url, snippet) in enumerate(links, start=1)
        ],
        "peopleAlsoAsk": [],
        "relatedSearches": [{"query": "high tide"}],
        "credits": 1,
    }


def duckduckgo(*links: tuple[str, str, str]) -> bytes:
    """Return DuckDuckGo's result page for browsers without scripts, as far as it is parsed."""
    results = "".join(
        f'<div class="links_main links_deep result__body"><h2 class="result__title"><a href="{url}">{title}</a></h2>'
        f'<a class="result__snippet" href="{url}">{snippet}</a></div>'
        for title, url, snippet in links
    )
    page = f"<html><body><div class='serp__results'>{results}</div></body></html>"
    return response(page.encode(), "Content-Type: text/html; charset=UTF-8")
