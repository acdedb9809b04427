"""Measures how a flood of requests by one key, or of connections without a key, slows another key: percentiles of the
time of the other key's calls, with and without the flood.

    python -m bench.fairness [--calls 40] [--flood 100] [--rounds 3]
    python -m bench.fairness --only OCR sandbox     # some of the floods
    python -m bench.fairness --only connections     # connections, heads, slow readers, and texts that are cheap to send
"""

import argparse
import asyncio
import io
import json
import random
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import cv2
import httpx
import numpy as np
import PIL.Image

from app.wire.model_names import EMBEDDING_MODEL
from app.wire.request import MAX_MESSAGES, MAX_PARTS
from bench.floods import ALICE, PAUSE_S, Asked, Calls, Connections, flooded
from bench.watched import Memory
from models.vision.text import Image
from tests.conftest import SHARED
from tests.e2e.conftest import data_url, ocr_request
from tests.hostile import (
    jpeg_of_scans,
    pdf_of_drawn_letters,
    pdf_of_forms_in_forms,
    pdf_of_shadings,
    pdf_of_tiny_tiles,
    pdf_page,
    png_claiming,
)
from tests.llm_server import Reply, serving_llm
from tests.origin import Origin, serving_origin
from tests.pages import single_line
from tests.pdfs import pdf_of_pages
from tests.server import Server, serving

BOB = "key-of-bob"
MB = 1 << 20
MEASURED_S = 30.0
"""Seconds after which no more calls are measured in a period, however few they are."""
LLM_S = 0.05
"""Seconds that the scripted LLM takes for an answer."""
LETTER = "\n".join(
    (
        "Northwind Tools Ltd.",
        "12 Harbour Road, Bristol",
        "",
        "Invoice number: 2024-0117",
        "Due date: 17 May 2024",
        "IBAN: DE89 3704 0044 0532 0130 00",
        *("Thank you for the order of the past month, which our carrier took to your address." for _ in range(12)),
    )
)
LINES = 5000
"""Lines of a batch, more than the server runs during the measurement."""
HEADER = f"{'ms':19}{'alone p50':>10}{'p95':>8}{'max':>8}{'flooded p50':>14}{'p95':>8}{'max':>8}{'p95':>9}"
STORY = "Tell a long story."
PIECES = 32_000
"""Pieces in which the scripted LLM tells the story."""

Busy = Callable[[httpx.AsyncClient, int], AbstractAsyncContextManager[None]]
"""Function that keeps the server busy during a block, with up to so many callers."""


@dataclass(frozen=True)
class Case:
    busy: Busy
    asked: Mapping[str, Asked]
    """Calls of the other key by their names. They are made in turn."""


def calls_of_a_key(flood: Sequence[Asked], asked: Asked, most: int = 1000, leaves_after_s: float | None = None) -> Case:
    """Return the case that callers with one key make the calls of `flood`, while the other key makes `asked`."""
    return Case(partial(flooded, caller=Calls(flood, leaves_after_s), most=most), {"the other key": asked})


async def seconds(client: httpx.AsyncClient, asked: Mapping[str, Asked], calls: int) -> dict[str, list[float]]:
    """Return the seconds that each of up to `calls` successive calls takes, by the name of the call."""
    took: dict[str, list[float]] = {name: [] for name in asked}
    ends = time.perf_counter() + MEASURED_S
    for _ in range(calls):
        for name, one in asked.items():
            async with client_of(str(client.base_url)) as new:
                begun = time.perf_counter()
                response = await one.by(new if one.is_on_a_new_connection else client, BOB)
                response.raise_for_status()
                took[name].append(time.perf_counter() - begun)
        if time.perf_counter() > ends:
            break
    return took


def client_of(base_url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None)
    return httpx.AsyncClient(base_url=base_url, timeout=600, limits=limits, trust_env=False, verify=False)


@asynccontextmanager
async def batch_of(client: httpx.AsyncClient, _: int, asked: Asked) -> AsyncIterator[None]:
    """Run a batch for the flooding key during the block. Each of its lines has the same call."""
    headers = {"authorization": f"Bearer {ALICE}"}
    lines = (
        b'{"custom_id":"%d","method":"POST","url":"%s","body":%s}\n' % (number, asked.path.encode(), asked.body)
        for number in range(LINES)
    )
    form: dict[str, Any] = {"files": {"file": ("lines.jsonl", b"".join(lines))}, "data": {"purpose": "batch"}}
    file = (await client.post("/v1/files", headers=headers, **form)).raise_for_status().json()["id"]
    body = {"input_file_id": file, "endpoint": asked.path, "completion_window": "24h"}
    batch = (await client.post("/v1/batches", headers=headers, json=body)).raise_for_status().json()
    while batch["status"] == "validating" or not batch["request_counts"]["completed"]:
        await asyncio.sleep(PAUSE_S)
        batch = (await client.get(f"/v1/batches/{batch['id']}", headers=headers)).json()
    try:
        yield
    finally:
        (await client.post(f"/v1/batches/{batch['id']}/cancel", headers=headers)).raise_for_status()


async def compare(server: Server, client: httpx.AsyncClient, case: Case, many: int, calls: int, rounds: int) -> None:
    """Print how long the calls take alone and beside the flood.

    Quiet and busy periods are measured in turn, so that other load on the machine affects both.
    """
    memory = Memory(server.process.pid)
    await seconds(client, case.asked, 5)  # loads the engines
    quiet: list[dict[str, list[float]]] = []
    beside: list[dict[str, list[float]]] = []
    for _ in range(rounds):
        quiet.append(await seconds(client, case.asked, calls))
        megabytes = [memory.look()]
        async with case.busy(client, many):
            beside.append(await seconds(client, case.asked, calls))
            megabytes.append(memory.look())
        await asyncio.sleep(1)  # time for the work to end
        megabytes.append(memory.look())
        print("  memory alone, flooded and afterwards:", ", ".join(f"{one:,.0f} MB" for one in megabytes), flush=True)
    print(HEADER)
    for name in case.asked:
        print(row(name, *([took for times in each for took in times[name]] for each in (quiet, beside))), flush=True)


def row(name: str, alone: Sequence[float], flooded: Sequence[float]) -> str:
    """Return a line of the table for the seconds that calls took alone and flooded, with the ratio of the 95th
    percentiles."""
    (a50, a95, a100), (f50, f95, f100) = (np.percentile(took, (50, 95, 100)) * 1e3 for took in (alone, flooded))
    return f"  {name:17}{a50:10.1f}{a95:8.1f}{a100:8.1f}{f50:14.1f}{f95:8.1f}{f100:8.1f}{f95 / a95:7.1f} x"


@asynccontextmanager
async def slow_readers(client: httpx.AsyncClient, many: int) -> AsyncIterator[None]:
    """Have `many` connections read a file of the flooding key during the block, just quickly enough to be tolerated."""
    file = (await Asked.upload(bytes(40 * MB)).by(client, ALICE)).raise_for_status().json()["id"]
    download = Asked(path=f"/v1/files/{file}/content").sent(ALICE)
    async with flooded(client, many, Connections(download, read_per_s=16 << 10)):
        yield


def script(code: str) -> Asked:
    system = {"role": "system", "content": "<task>code_sandbox</task>"}
    messages = [system, {"role": "user", "content": f"```python\n{code}\n```"}]
    return Asked.chat({"model": "interfaze-beta", "messages": messages})


def hostile_pictures() -> list[str]:
    """Return pictures that are made to keep a server busy. The server refuses some of them, and reads others only in
    part or stops reading. The pictures that it reads have as many pixels as allowed."""
    print_ = np.full((24, 600, 3), 255, np.uint8)
    cv2.putText(print_, "The quick brown fox jumps over the lazy dog 0123456789", (4, 16), 0, 0.3, (0, 0, 0), 1)
    small_print = np.tile(print_, (8000 // 24, 8000 // 600, 1))
    return [
        *(data_url(png_claiming(*size)) for size in ((1, 60_000_000), (8000, 8000))),
        *(data_url(encoded(picture)) for picture in (small_print, np.full((65_535, 1, 3), 255, np.uint8))),
        data_url(jpeg_of_scans(500, width=8000, height=8000), "image/jpeg"),
        data_url(jpeg_of_scans(4000, width=4000, height=4000), "image/jpeg"),
    ]


def hostile_pdfs() -> list[bytes]:
    """Return PDFs that keep a decode process busy until it is ended."""
    return [pdf_of_tiny_tiles(), pdf_of_forms_in_forms(), pdf_of_drawn_letters(), pdf_of_shadings()]


def encoded(picture: Image) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def seen(url: str, task: str) -> Asked:
    request = ocr_request(url)
    request["messages"][0]["content"] = f"<task>{task}</task>"
    return Asked.chat(request)


def transcription(content: bytes, name: str, **fields: str) -> Asked:
    form: dict[str, Any] = {"files": {"file": (name, content)}, "data": {"model": "interfaze-beta", **fields}}
    request = httpx.Request("POST", "http://x", **form)
    return Asked(request.read(), "/v1/audio/transcriptions", request.headers["content-type"])


def of_calls(origin: Origin) -> dict[str, Case]:
    """Return floods of calls, beside each of which the other key makes such a call, too."""
    sign = Asked.chat(ocr_request(data_url(origin.files["/sign.png"])))
    document = Asked.chat(ocr_request(data_url(pdf_of_pages(3), "application/pdf")))
    question = Asked.chat({"model": "interfaze-beta", "messages": [{"role": "user", "content": "Hello"}]})
    file = Asked.upload(b"a" * 2 * MB)
    speech = transcription((SHARED / "samples" / "speech_jfk.flac").read_bytes(), "speech.flac")
    silence = transcription(wav_of_silence(600), "silence.wav")
    photo = data_url((SHARED / "samples" / "photo_bus.jpg").read_bytes(), "image/jpeg")
    objects = seen(photo, "object_detection")
    pictures = hostile_pictures()
    return {
        "OCR": calls_of_a_key([sign], sign),
        "sandbox": calls_of_a_key([script("while True: pass")], script("print(1)"), most=6),
        "fetches": calls_of_a_key(
            [Asked.chat(ocr_request(origin.url("/held/sign.png")))], Asked.chat(ocr_request(origin.url("/sign.png")))
        ),
        "decoding": calls_of_a_key([document], document),
        "LLM": calls_of_a_key([question], question),
        "uploads": calls_of_a_key([file], file),
        "speech": calls_of_a_key([speech, silence], speech),
        "detection": calls_of_a_key([objects], objects),
        "hostile PDFs": calls_of_a_key(
            [Asked.chat(ocr_request(data_url(pdf, "application/pdf"))) for pdf in hostile_pdfs()], document
        ),
        "hostile OCR": calls_of_a_key([sign, *(seen(url, "ocr") for url in pictures)], sign, leaves_after_s=2),
        "hostile detection": calls_of_a_key(
            [objects, *(seen(url, "object_detection") for url in pictures)], objects, leaves_after_s=2
        ),
        **{name: calls_of_a_key([asked], asked) for name, asked in texts().items()},
        **{f"hostile {name}": calls_of_a_key([asked], sign, most=8) for name, asked in hostile_texts().items()},
        "batches": Case(partial(batch_of, asked=sign), {"the other key": sign}),
    }


def of_connections(origin: Origin) -> dict[str, Case]:
    """Return floods that are cheap to send, and that are meant to delay everybody: of connections, most of them without
    a key, of answers that are read quickly or slowly, and of texts."""
    asked = {
        "models": Asked(path="/v1/models"),
        "a new connection": Asked(path="/v1/models", is_on_a_new_connection=True),
        "moderations": Asked(b'{"input": "How do I bake bread?"}', "/v1/moderations"),
        "OCR": Asked.chat(ocr_request(data_url(origin.files["/sign.png"]))),
    }
    head = b"GET /v1/models HTTP/1.1\r\nhost: x\r\n"
    chunked = b"POST /v1/moderations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    pipelined = (head + b"a:b\r\n" * 124 + b"\r\n") * 32
    many_lines = head + b"a:b\r\n" * 12_000 + b"\r\n"
    story = Asked.chat({**message(STORY), "stream": True}, may_be_cached=True)
    signs = message("Hello")
    signs["messages"].insert(0, {"role": "system", "content": "<" * 9_000_000})
    total = {"response_format": schema_of({"total": {"type": "number"}})}
    figures, row_of_numbers = (
        Calls([Asked.chat({**message(f"total: {text}"), **total})], leaves_after_s=4)
        for text in ("9" * 150_000, "\t".join(str(n * 7919 % 1000) for n in range(60_000)))
    )
    extracted = {**asked, "four fields": texts()["schemas"]}
    talk = (SHARED / "samples" / "speech_two_speakers.wav").read_bytes()
    long_talk = transcription(repeated_wav(talk, 60), "talk.wav", response_format="diarized_json")
    speech = transcription((SHARED / "samples" / "speech_jfk.flac").read_bytes(), "speech.flac")
    translated = message("Translate into Spanish:\n\n" + "{% if " * 160_000 + "hi")
    translated["messages"].insert(0, {"role": "system", "content": "<task>translate</task>"})
    placeholders = Calls([Asked.chat(translated)], leaves_after_s=4)
    photo = data_url((SHARED / "samples" / "photo_bus.jpg").read_bytes(), "image/jpeg")
    seen_and_read = {**asked, "objects": seen(photo, "object_detection")}
    return {
        "small chunks": Case(partial(flooded, caller=Connections(chunked, again=b"8\r\naaaaaaaa\r\n" * 3000)), asked),
        "long heads": Case(partial(flooded, caller=Connections(many_lines, every_s=0.1), most=20), asked),
        "pipelined heads": Case(partial(flooded, caller=Connections(pipelined, every_s=0.1), most=30), asked),
        "streamed answers": Case(partial(flooded, caller=Calls([story]), most=10), asked),
        "slow readers": Case(slow_readers, asked),
        "signs": Case(partial(flooded, caller=Calls([Asked.chat(signs)]), most=8), asked),
        "figures": Case(partial(flooded, caller=figures, most=8), extracted),
        "long recordings": Case(partial(flooded, caller=Calls([long_talk]), most=6), {**extracted, "speech": speech}),
        "placeholders": Case(partial(flooded, caller=placeholders, most=8), {**asked, "speech": speech}),
        "a row of numbers": Case(partial(flooded, caller=row_of_numbers, most=8), extracted),
        **{
            name: Case(partial(flooded, caller=Calls([body], leaves_after_s=4), most=4), seen_and_read)
            for name, body in (
                ("examples", Asked.chat(examples())),
                ("words", Asked.chat(words())),
                ("seasons", Asked.chat(seasons())),
                ("grey pages", page(b"0.9 g 10 10 500 700 re f")),
                ("clipped pages", page(b"".join(b"%d %d 5 5 re W* n " % (n % 600, n % 700) for n in range(60_000)))),
                ("guarded numbers", Asked.chat(guarded_numbers())),
                ("texts to embed", texts_to_embed()),
                ("texts to moderate", texts_to_moderate()),
                ("escaped data", page_of_escapes()),
                ("large pictures", large_pictures()),
                ("messages", Asked.chat(many_messages())),
            )
        },
        "named uploads": Case(partial(naming_an_upload, content=b"caf\xe9 " + b"a" * 200_000_000), seen_and_read),
        "streamed results": Case(
            partial(flooded, caller=Calls([long_result(origin, stream=True)]), most=4), seen_and_read
        ),
        "long lines": Case(partial(batch_of, asked=long_result(origin, stream=False)), seen_and_read),
    }


def examples() -> dict[str, Any]:
    """Return a conversation whose example is a megabyte of JSON."""
    example = [{"role": "user", "content": "a: 1"}, {"role": "assistant", "content": "[" + "[]," * 330_000 + "[]]"}]
    body = message("a: 2")
    return {**body, "messages": example + body["messages"], "response_format": schema_of({"a": {"type": "number"}})}


def words() -> dict[str, Any]:
    """Return a schema and a text of one long word, which is cheap to send and takes a tenth of a second."""
    return {**message("x" * 20_000 + "\nTotal: 5"), "response_format": schema_of({"total": {"type": "number"}})}


def seasons() -> dict[str, Any]:
    """Return six weeks of values every ten minutes, whose season is a week."""
    start = datetime(2024, 1, 1)
    rows = "".join(
        f"{start + number * timedelta(minutes=10)},{100 + number % 1008 // 10 + number * 7919 % 13}\n"
        for number in range(6 * 1008)
    )
    body = message(f"Forecast the next 24 hours.\ndate,value\n{rows}")
    body["messages"].insert(0, {"role": "system", "content": "<task>forecast</task>"})
    return body


def page(content: bytes) -> Asked:
    """Return an order to read a PDF with a page that shows `content`."""
    return Asked.chat(ocr_request(data_url(pdf_page(content), "application/pdf")))


def guarded_numbers() -> dict[str, Any]:
    """Return a text of telephone numbers, of nearly a megabyte, to be judged before it is read."""
    numbers = {"file_data": data_url(b"+49 170 1234567 " * 55_000, "text/plain"), "filename": "numbers.txt"}
    body = {**message(""), "messages": [{"role": "system", "content": "<guard>S1</guard><task>ocr</task>"}]}
    body["messages"].append({"role": "user", "content": [{"type": "file", "file": numbers}]})
    return body


def texts_to_embed() -> Asked:
    """Return 2,000 texts of 480 random letters and blanks."""
    letters = random.Random(1)
    text = " ".join("".join(letters.choices(ascii_lowercase, k=6)) for _ in range(70_000))
    inputs = [text[start : start + 480] for start in range(0, 2_000 * 240, 240)]
    return Asked(json.dumps({"model": EMBEDDING_MODEL, "input": inputs}).encode(), "/v1/embeddings")


def texts_to_moderate() -> Asked:
    """Return 256 texts of 500 words."""
    generator = random.Random(1)
    words = ["kill", "bomb", "dear", "house", "recipe", "how", "make", "steal"]
    inputs = [" ".join(generator.choices(words, k=500)) for _ in range(256)]
    return Asked(json.dumps({"input": inputs}).encode(), "/v1/moderations")


def page_of_escapes() -> Asked:
    """Return an order to read a file of a megabyte, each of whose bytes is an escape of a data URL."""
    return Asked.chat(ocr_request("data:application/zip," + "%00" * 1_000_000))


def large_pictures() -> Asked:
    """Return an order to look at four pictures of 16 megapixels, whose files are small."""
    file = io.BytesIO()
    PIL.Image.new("RGB", (4000, 3990)).save(file, "JPEG")
    body = json.loads(seen(data_url(file.getvalue(), "image/jpeg"), "object_detection").body)
    parts = body["messages"][-1]["content"]
    parts += 3 * [part for part in parts if part["type"] == "image_url"]
    return Asked.chat(body)


def many_messages() -> dict[str, Any]:
    """Return a conversation of as many short messages and parts as a request may have."""
    part = {"type": "text", "text": "hello"}
    messages = [
        {"role": ("user", "assistant")[number % 2], "content": [part] * (MAX_PARTS // MAX_MESSAGES)}
        for number in range(MAX_MESSAGES)
    ]
    return {"model": "interfaze-beta", "messages": messages}


@asynccontextmanager
async def naming_an_upload(client: httpx.AsyncClient, many: int, content: bytes) -> AsyncIterator[None]:
    """Upload a file for the flooding key, and flood the server with short orders to read it during the block."""
    upload = Asked.upload(content)
    response = await client.post(upload.path, headers=upload.headers(ALICE), content=upload.body)
    body = message("Read it.")
    body["messages"].insert(0, {"role": "system", "content": "<task>ocr</task>"})
    body["messages"][1]["content"] = [{"type": "file", "file": {"file_id": response.raise_for_status().json()["id"]}}]
    async with flooded(client, many, Calls([Asked.chat(body)]), most=4):
        yield


def long_result(origin: Origin, *, stream: bool) -> Asked:
    """Return an order to read a text of 9.9 MB, whose result is 20 MB of JSON and 40 MB in an answer."""
    origin.files["/long.txt"] = b'"\\' * 4_950_000
    return Asked.chat(ocr_request(origin.url("/long.txt"), stream=stream))


def repeated_wav(content: bytes, times: int) -> bytes:
    file = io.BytesIO()
    with wave.open(io.BytesIO(content)) as one, wave.open(file, "wb") as whole:
        whole.setparams(one.getparams())
        frames = one.readframes(one.getnframes())
        for _ in range(times):
            whole.writeframes(frames)
    return file.getvalue()


def message(text: str) -> dict[str, Any]:
    return {"model": "interfaze-beta", "messages": [{"role": "user", "content": text}]}


def texts() -> dict[str, Asked]:
    """Return requests of a page or so of text: each kind of work that is done on texts."""
    model = {"model": "interfaze-beta"}
    message = {"role": "user", "content": "Summarize the letter.\n\n" + LETTER}
    fields = {name: {"type": "string"} for name in ("sender", "invoice_number", "due_date", "iban")}
    columns = {"date": {"type": "string"}, "item": {"type": "string"}, "amount": {"type": "number"}}
    items = {"type": "array", "items": {"type": "object", "properties": columns}}
    rows = "".join(f"2024-{n % 12 + 1:02}-01,Item {n},{n}.50\n" for n in range(40))
    file = {"file_data": data_url(b"date,item,amount\n" + rows.encode(), "text/csv"), "filename": "items.csv"}
    series = "".join(f"{2020 + n // 12}-{n % 12 + 1:02}-01,{100 + n + 10 * (n % 12)}\n" for n in range(36))
    forecast = [
        {"role": "system", "content": "<task>forecast</task>"},
        {"role": "user", "content": f"Forecast the next 3 months.\ndate,sales\n{series}"},
    ]
    return {
        "messages": Asked.chat({**model, "messages": [message]}),
        "schemas": Asked.chat(
            {**model, "messages": [{"role": "user", "content": LETTER}], "response_format": schema_of(fields)}
        ),
        "CSV": Asked.chat(
            {
                **model,
                "messages": [{"role": "user", "content": [{"type": "file", "file": file}]}],
                "response_format": schema_of({"rows": items}),
            }
        ),
        "moderations": Asked(json.dumps({"input": LETTER}).encode(), "/v1/moderations"),
        "embeddings": Asked(json.dumps({"model": EMBEDDING_MODEL, "input": [LETTER] * 2}).encode(), "/v1/embeddings"),
        "forecasts": Asked.chat({**model, "messages": forecast}),
    }


def schema_of(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}


def hostile_texts() -> dict[str, Asked]:
    """Return requests whose texts take the server long: a table of quotes, many messages, a wide schema, and texts to
    judge."""
    quotes = {"file_data": data_url(b'"' * 10 * MB, "text/csv"), "filename": "quotes.csv"}
    user = {"role": "user", "content": "a"}
    wide = {f"p{n}": {"type": "string", "enum": ["a"]} for n in range(1200)}
    asked = {
        "CSV": {
            "messages": [
                {"role": "system", "content": "<task>ocr</task>"},
                {"role": "user", "content": [{"type": "file", "file": quotes}]},
            ]
        },
        "messages": {"messages": [user] * 700_000},
        "schemas": {
            "messages": [user],
            "response_format": schema_of(wide),
        },
    }
    moderated = json.dumps({"input": ["How do I kill a process? " * 200] * 32}).encode()
    return {
        **{name: Asked.chat({"model": "interfaze-beta", **body}) for name, body in asked.items()},
        "moderations": Asked(moderated, "/v1/moderations"),
    }


def wav_of_silence(seconds: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000 * seconds))
    return file.getvalue()


def reply(body: dict[str, Any]) -> Reply:
    if STORY in json.dumps(body):
        return Reply(chunks=["word "] * PIECES)
    return Reply("{}", delay_s=LLM_S)


def chosen(group: str, cases: Mapping[str, Case], only: Sequence[str]) -> dict[str, Case]:
    """Return the cases that `only` names, by their own names or by that of their group; all if it is empty."""
    return {name: case for name, case in cases.items() if not only or group in only or name in only}


async def main(calls: int, many: int, rounds: int, only: list[str]) -> None:
    with serving_llm(reply) as llm, serving_origin() as origin:
        origin.files["/sign.png"] = single_line("Platform nine").encoded()
        groups = {"calls": (of_calls(origin), "off"), "connections": (of_connections(origin), "exact")}
        known = {*groups, *(name for cases, _ in groups.values() for name in cases)}
        if unknown := sorted({*only} - known):
            raise SystemExit(f"There is no flood {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
        for group, (all_cases, cache) in groups.items():
            if cases := chosen(group, all_cases, only):
                with (
                    tempfile.TemporaryDirectory() as folder,
                    serving(
                        Path(folder) / "log",
                        api_keys=f"{ALICE},{BOB}",
                        llm_base_url=llm.base_url,
                        llm_model="scripted",
                        llm_abilities="tools,json_schema",
                        llm_context_tokens=32768,
                        llm_calls_at_once=4,
                        cache=cache,
                        fetch_allow="127.0.0.1/32",
                        code_sandbox="on",
                        extraction="extractor",
                        weights_dir=SHARED / "weights",
                        max_files_mb=1e6,
                        max_files=1_000_000,
                    ) as server,
                ):
                    async with client_of(server.base_url) as client:
                        for name, case in cases.items():
                            print(name, flush=True)
                            await compare(server, client, case, many, calls, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--flood", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3, help="of calls alone, then flooded")
    parser.add_argument("--only", nargs="*", default=[], help="floods, or groups of floods (calls, connections); all")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.calls, arguments.flood, arguments.rounds, arguments.only))
