"""Measures how a flood of requests by one key slows another key: the 95th percentile of the time of the other key's
calls, with and without the flood.

python -m bench.fairness [--calls 40] [--flood 100] [--rounds 3] [--only OCR sandbox]
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Callable, MutableSequence, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import PIL.Image

from app.wire.model_names import EMBEDDING_MODEL
from models.vision.text import Image
from tests.conftest import SHARED
from tests.e2e.conftest import data_url, ocr_request
from tests.hostile import (
    jpeg_of_scans,
    pdf_of_drawn_letters,
    pdf_of_forms_in_forms,
    pdf_of_shadings,
    pdf_of_tiny_tiles,
    png_claiming,
)
from tests.llm_server import Reply, serving_llm
from tests.origin import Origin, serving_origin
from tests.pages import single_line
from tests.pdfs import pdf_of_pages
from tests.server import serving

ALICE, BOB = "key-of-alice", "key-of-bob"
CHAT = "/v1/chat/completions"
PAUSE_S = 0.01
FLOOD_NICE = 5
MB = 1 << 20
FLOODED_AFTER_S = 3.0
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


Answers = MutableSequence[int]
"""Number of served calls, of refused calls and of all calls of a flood."""


@dataclass(frozen=True)
class Asked:
    """A call that is repeated."""

    body: bytes
    path: str = CHAT
    content_type: str = "application/json"

    @classmethod
    def chat(cls, body: dict[str, Any]) -> "Asked":
        return cls(json.dumps(body).encode())

    @classmethod
    def upload(cls, content: bytes) -> "Asked":
        request = httpx.Request("POST", "http://x", files={"file": ("a.txt", content)}, data={"purpose": "user_data"})
        return cls(request.read(), "/v1/files", request.headers["content-type"])

    async def by(self, client: httpx.AsyncClient, key: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}", "content-type": self.content_type}
        return await client.post(self.path, content=self.body, headers=headers)


@dataclass(frozen=True)
class Case:
    flood: Sequence[Asked]
    """Calls that each caller of the flood makes in turn."""
    asked: Asked
    most: int = 1000
    """Largest number of simultaneous calls of the flood. The server would refuse further calls, and refusals delay
    nobody."""
    leaves_after_s: float | None = None
    """Seconds for which the flood's callers wait for an answer."""


async def seconds(client: httpx.AsyncClient, asked: Asked, calls: int) -> list[float]:
    """Return the seconds that each of `calls` successive calls takes."""
    took = []
    for _ in range(calls):
        begun = time.perf_counter()
        response = await asked.by(client, BOB)
        response.raise_for_status()
        took.append(time.perf_counter() - begun)
    return took


def client_of(base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, timeout=600, limits=httpx.Limits(max_connections=None), trust_env=False)


def flood(base_url: str, case: Case, many: int, answers: Answers) -> None:
    """Call the server again and again from a separate process, so that the measuring process is not slowed down.

    The flood represents other machines. It therefore takes as little of the server's processors as possible, and reads
    no more of an answer than necessary. After a refusal, half of its callers wait for as long as the answer demands,
    like SDKs; the other half does not wait.
    """
    os.nice(FLOOD_NICE)
    url = httpx.URL(base_url)

    def sent(asked: Asked) -> bytes:
        head = f"POST {asked.path} HTTP/1.1\r\nhost: {url.host}\r\nauthorization: Bearer {ALICE}\r\n"
        head += f"content-type: {asked.content_type}\r\ncontent-length: {len(asked.body)}\r\n\r\n"
        return head.encode() + asked.body

    async def one(first: int) -> None:
        is_polite = first % 2 == 0
        calls = cycle(map(sent, [*case.flood[first % len(case.flood) :], *case.flood[: first % len(case.flood)]]))
        while True:
            reader, writer = await asyncio.open_connection(url.host, url.port)
            # A caller that leaves, or whose connection the server closes, returns with a new connection.
            with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
                for call in calls:
                    writer.write(call)
                    answers[2] += 1
                    async with asyncio.timeout(case.leaves_after_s):
                        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
                        headers = dict(line.split(": ", 1) for line in head if ": " in line)
                        await reader.readexactly(int(headers["content-length"]))
                    answers[head[0].split()[1] != "200"] += 1
                    await asyncio.sleep(float(headers.get("retry-after", PAUSE_S)) if is_polite else PAUSE_S)
            writer.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(many)))

    asyncio.run(all_of_them())


@asynccontextmanager
async def batch_of(client: httpx.AsyncClient, asked: Asked) -> AsyncIterator[None]:
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


@asynccontextmanager
async def flooded(client: httpx.AsyncClient, case: Case, many: int) -> AsyncIterator[None]:
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Array("q", 3, lock=False)
    arguments = (str(client.base_url), case, min(many, case.most), answers)
    flooding = spawn.Process(target=flood, args=arguments)
    flooding.start()
    try:
        while answers[2] < arguments[2]:
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(FLOODED_AFTER_S)
        yield
    finally:
        flooding.terminate()
        flooding.join()


Busy = Callable[[], AbstractAsyncContextManager[None]]


async def compare(client: httpx.AsyncClient, name: str, asked: Asked, busy: Busy, calls: int, rounds: int) -> None:
    """Measure quiet and busy periods in turn, so that other load on the machine affects both."""
    await seconds(client, asked, 5)  # loads the engines
    quiet: list[float] = []
    beside: list[float] = []
    for _ in range(rounds):
        quiet += await seconds(client, asked, calls)
        async with busy():
            beside += await seconds(client, asked, calls)
        await asyncio.sleep(1)  # time for the work to end
    alone, among = (float(np.percentile(took, 95)) for took in (quiet, beside))
    print(
        f"{name:12} p95 alone {alone * 1e3:.0f} ms, flooded {among * 1e3:.0f} ms: {among / alone:.1f} times", flush=True
    )


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


def transcription(content: bytes, name: str) -> Asked:
    form: dict[str, Any] = {"files": {"file": (name, content)}, "data": {"model": "interfaze-beta"}}
    request = httpx.Request("POST", "http://x", **form)
    return Asked(request.read(), "/v1/audio/transcriptions", request.headers["content-type"])


def cases(origin: Origin) -> dict[str, Case]:
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
        "OCR": Case([sign], sign),
        "sandbox": Case([script("while True: pass")], script("print(1)"), most=6),
        "fetches": Case(
            [Asked.chat(ocr_request(origin.url("/held/sign.png")))], Asked.chat(ocr_request(origin.url("/sign.png")))
        ),
        "decoding": Case([document], document),
        "LLM": Case([question], question),
        "uploads": Case([file], file),
        "speech": Case([speech, silence], speech),
        "detection": Case([objects], objects),
        "hostile PDFs": Case(
            [Asked.chat(ocr_request(data_url(pdf, "application/pdf"))) for pdf in hostile_pdfs()], document
        ),
        "hostile OCR": Case([sign, *(seen(url, "ocr") for url in pictures)], sign, leaves_after_s=2),
        "hostile detection": Case(
            [objects, *(seen(url, "object_detection") for url in pictures)], objects, leaves_after_s=2
        ),
        **{name: Case([asked], asked) for name, asked in texts().items()},
        **{f"hostile {name}": Case([asked], sign, most=8) for name, asked in hostile_texts().items()},
    }


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


async def main(calls: int, many: int, rounds: int, only: list[str]) -> None:
    reply = Reply("{}", delay_s=LLM_S)
    with serving_llm(lambda _: reply) as llm, serving_origin() as origin, tempfile.TemporaryDirectory() as folder:
        origin.files["/sign.png"] = single_line("Platform nine").encoded()
        with serving(
            Path(folder) / "log",
            api_keys=f"{ALICE},{BOB}",
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="tools,json_schema",
            llm_context_tokens=32768,
            llm_calls_at_once=4,
            fetch_allow="127.0.0.1/32",
            code_sandbox="on",
            extraction="extractor",
            weights_dir=SHARED / "weights",
            max_files_mb=1e6,
            max_files=1_000_000,
        ) as server:
            async with client_of(server.base_url) as client:
                ocr = cases(origin)["OCR"].asked
                works: dict[str, tuple[Asked, Busy]] = {
                    name: (case.asked, partial(flooded, client, case, many)) for name, case in cases(origin).items()
                }
                works["batches"] = ocr, partial(batch_of, client, ocr)
                for name, (asked, busy) in works.items():
                    if not only or name in only:
                        await compare(client, name, asked, busy, calls, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--flood", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3, help="of calls alone, then flooded")
    parser.add_argument("--only", nargs="*", default=[], help="resources whose sharing is measured, or batches; all")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.calls, arguments.flood, arguments.rounds, arguments.only))
