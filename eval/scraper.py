"""Measures the share of the main text that the scraper finds in pages of many layouts, and its time, in comparison with
trafilatura alone.

    python -m eval.scraper

The share is the F1 score, by words, of the extracted text and the text from which the page was made. Milliseconds are
the best of three measurements in this process.
"""

import time
from collections.abc import Callable
from statistics import mean, median

import trafilatura

from tests.kit.internet.web_pages import WebPage, extract_page, web_pages, word_f1


def ours(page: WebPage) -> str:
    return extract_page(page.html, "http://h.example/", page.content_type.partition("charset=")[2] or None).text


def alone(page: WebPage) -> str:
    return trafilatura.extract(page.html, include_comments=False) or ""


def measured(read: Callable[[WebPage], str], page: WebPage) -> tuple[float, float]:
    times = []
    for _ in range(1 if len(page.html) > 1_000_000 else 3):
        started = time.perf_counter()
        text = read(page)
        times.append((time.perf_counter() - started) * 1000)
    return word_f1(page.main, text), min(times)


def main() -> None:
    pages = web_pages()
    ours(pages[0])  # loads the libraries
    rows = [(page.name, *measured(ours, page), *measured(alone, page)) for page in pages]
    print(f"{'layout':24}{'F1':>7}{'ms':>9}   trafilatura alone: F1, ms")
    for name, f1, ms, f1_alone, ms_alone in rows:
        print(f"{name:24}{f1:7.3f}{ms:9.1f}{f1_alone:17.3f}{ms_alone:9.1f}")
    print(f"{'mean F1, median ms':24}{mean(row[1] for row in rows):7.3f}{median(row[2] for row in rows):9.1f}", end="")
    print(f"{mean(row[3] for row in rows):17.3f}{median(row[4] for row in rows):9.1f}")


if __name__ == "__main__":
    main()
