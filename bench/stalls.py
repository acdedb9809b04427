"""Sends large requests that may stall the server, and measures the longest time that /health takes to answer, and the
longest time for which the event loop was held by itself or by a thread that had Python's lock.

    python -m bench.stalls [--size 0.9]
    python -m bench.stalls --signs       # texts of one sign or word, again and again
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx

from bench import watched
from bench.fairness import client_of, schema_of
from bench.floods import PAUSE_S
from tests.deep.test_sizes import GROWING, Sent, repeated, said
from tests.llm_server import Reply, serving_llm
from tests.server import serving

KEY = "key-of-alice"
AUTHORIZATION = {"authorization": f"Bearer {KEY}"}
MB = 1 << 20
SIGNS = (
    *'x1.…-([{`\\"&<\t\r\n\f\0 \u2028½①\u0f73\ufdfa\ufffd\U000e0041',
    *("a\u0301\u0323", "a\u200d", "a\ufe0f", "a\u00ad", "א\u202e", "👨‍👩‍👧", "🇩🇪", "ภาษาไทย", "請求書合計", "فاتورة "),
    *("1,", "1.", "1 ", "1-", "12/", "12:", "€1 ", "1% ", "1 kg ", "1h 2m ", "1 of 2 ", "1 May 2020 ", "XIV. "),
    *("a@", "a.b@c.", "DE89 3704 ", "+49 30 ", "http://a ", "www.a.b ", "P<UTOERIKSSON<<ANNA<MARIA<<<<\n"),
    *("a: ", "a:\n", "| a ", "|a|\n", "a\t", "- a\n", "1. a\n", "a;b;c\n", '"a"";', "Subject: a\n", "☐ a ☒ b "),
    *("# a\n", "**a** ", "> ", "`a", "```\n", "[a](", "_a", "<a ", "<a>", "&#1;", 'a="', '{"a":', '{"a":1}\n'),
    *("word ", "May ", "ABC ", "not ", "Mr. ", "a and b, ", "a-\n", "a → b ", "चालान "),
)
"""Signs and words that patterns of the server look for."""


async def held_ms(client: httpx.AsyncClient) -> float:
    """Return the longest time, in milliseconds, for which the event loop was held since the last call."""
    return float((await client.get("/bench/stall/held", headers=AUTHORIZATION)).raise_for_status().text)


async def longest_health_s(client: httpx.AsyncClient, until: asyncio.Event) -> float:
    longest = 0.0
    while not until.is_set():
        asked = time.perf_counter()
        await client.get("/health")
        longest = max(longest, time.perf_counter() - asked)
        await asyncio.sleep(PAUSE_S)
    return longest


def large(size: int) -> Iterator[tuple[str, Sent]]:
    return ((name, make(size)) for name, make in GROWING.items())


def of_signs(size: int) -> Iterator[tuple[str, Sent]]:
    """Yield texts of each sign to fill a schema from, to judge and to translate."""
    properties = {
        "total": {"type": "number"},
        "date": {"type": "string", "format": "date"},
        "name": {"type": "string"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"item": {"type": "string"}}}},
    }
    # The first texts are short: they load the engines.
    for sign, chars in (("hello ", 600), *((sign, size) for sign in SIGNS)):
        text = repeated(sign, chars)
        shown = ascii(sign)[1:15]
        yield f"{shown} filled", Sent.chat(said(f"{text}\nTotal: 5"), response_format=schema_of(properties))
        yield f"{shown} guarded", Sent.chat(said("<guard>ALL</guard>", "system"), said(text), max_tokens=3)
        wish = said(f"Translate into Spanish:\n\n{text}")
        yield f"{shown} translated", Sent.chat(said("<task>translate</task>", "system"), wish)


async def stalls(client: httpx.AsyncClient, requests: Iterable[tuple[str, Sent]], at_most_s: float) -> None:
    for name, sent in requests:
        ended = asyncio.Event()
        await held_ms(client)
        watching = asyncio.create_task(longest_health_s(client, ended))
        asked = time.perf_counter()
        headers = {**sent.headers, **AUTHORIZATION}
        status = "left"
        with suppress(httpx.TimeoutException):
            response = await client.post(sent.path, content=sent.body, headers=headers, timeout=at_most_s)
            status = str(response.status_code)
        took = time.perf_counter() - asked
        ended.set()
        longest_ms = await watching * 1e3
        held = await held_ms(client)
        print(f"{name:32} {status:4} {took:7.2f} s, /health {longest_ms:5.0f} ms, held {held:5.0f} ms", flush=True)


def llm_at(url: str) -> dict[str, object]:
    """Return the settings of a language model; without one, schemas are filled from the text."""
    abilities = "tools,json_schema"
    return {"llm_base_url": url, "llm_model": "scripted", "llm_abilities": abilities, "llm_context_tokens": 32768}


async def main(size: int, signs: bool, at_most_s: float) -> None:
    with (
        serving_llm(lambda _: Reply("{}", delay_s=0.05)) as llm,
        tempfile.TemporaryDirectory() as folder,
        serving(
            Path(folder) / "log",
            watched.PROGRAM,
            api_keys=KEY,
            code_sandbox="on",
            **({} if signs else llm_at(llm.base_url)),
        ) as server,
    ):
        async with client_of(server.base_url) as client:
            await stalls(client, of_signs(size) if signs else large(size), at_most_s)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=0.9, help="megabytes of each case")
    parser.add_argument("--signs", action="store_true", help="texts of one sign or word, again and again")
    parser.add_argument("--seconds", type=float, default=60, help="after which an answer is no longer waited for")
    arguments = parser.parse_args()
    asyncio.run(main(int(arguments.size * MB), arguments.signs, arguments.seconds))
