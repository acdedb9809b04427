"""The full model for real: specialists, and the LLM that comes with the embedded default.

With OPENFAZE_LLM_BASE_URL or OPENFAZE_LLM_GGUF set, the same tests run on that LLM. What it must do is the same for
all (valid JSON, the right tasks); how often it is right is printed. A hundred structured answers instead of a dozen:

    RUNS=100 .venv/bin/pytest -s --timeout 1200 -m deep tests/e2e/test_embedded_model.py
"""

import asyncio
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import PIL.Image
import pytest

from tests.e2e.conftest import data_url
from tests.server import Server, serving

ASKED_FOR = {
    name.removeprefix("OPENFAZE_").lower(): value
    for name, value in os.environ.items()
    if name.startswith("OPENFAZE_LLM_")
}
FIELDS = ("company", "date", "total")
SCHEMA = {
    "type": "object",
    "properties": {field: {"type": "string", "maxLength": 60} for field in FIELDS},
    "required": list(FIELDS),
    "additionalProperties": False,
}
RECEIPTS = ("receipt_000", "receipt_001", "receipt_002")
RUNS = int(os.environ.get("RUNS", "12"))
AT_A_TIME = 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"preload": "ocr,llm", **ASKED_FOR}
    with serving(tmp_path_factory.mktemp("model") / "log", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def ask(model: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{model.base_url}/v1", timeout=300, trust_env=False) as client:
        yield client


def answer(client: httpx.Client, *content: Any, **fields: Any) -> dict[str, Any]:
    body = {"model": "auto", "messages": [{"role": "user", "content": list(content)}], "max_tokens": 100, **fields}
    response = client.post("/chat/completions", json=body)
    assert response.status_code == 200, response.text
    completion: dict[str, Any] = response.json()
    return completion


def picture(path: Path) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(path.read_bytes(), "image/jpeg")}}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_a_question_about_a_receipt_is_answered_over_what_was_read(ask: httpx.Client, shared: Path) -> None:
    """About its lower half: to read all of it takes a small LLM many seconds."""
    with PIL.Image.open(shared / "samples" / "receipt_000.jpg") as whole:
        half = io.BytesIO()
        whole.crop((0, whole.height // 2, whole.width, whole.height)).save(half, "JPEG")
    receipt = {"type": "image_url", "image_url": {"url": data_url(half.getvalue(), "image/jpeg")}}
    completion = answer(ask, words("What is the total?"), receipt, temperature=0, max_tokens=30)
    [entry] = completion["precontext"]
    assert entry["name"] == "ocr"
    assert "Total" in entry["result"]["extracted_text"]
    said = completion["choices"][0]["message"]["content"]
    assert said.strip()
    print(f"\nWhat is the total? (9.00) {said!r}")


def test_an_answer_is_streamed_as_it_is_written(ask: httpx.Client) -> None:
    body = {
        "model": "auto",
        "stream": True,
        "max_tokens": 30,
        "messages": [{"role": "user", "content": "Tell me a story."}],
    }
    with ask.stream("POST", "/chat/completions", json=body) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data: {")]
    assert len(lines) > 5


@pytest.mark.parametrize("runs", [1, pytest.param(RUNS, marks=pytest.mark.deep)])
async def test_a_schema_is_satisfied_every_time(model: Server, shared: Path, runs: int) -> None:
    """That many answers, at OpenAI's default temperature, several at a time, each valid JSON of the schema."""
    truth = {name: json.loads((shared / "samples" / f"{name}.fields.json").read_text()) for name in RECEIPTS}
    right = dict.fromkeys(FIELDS, 0)
    gate = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(base_url=f"{model.base_url}/v1", timeout=300, trust_env=False) as client:

        async def extract(run: int) -> dict[str, str]:
            name = RECEIPTS[run % len(RECEIPTS)]
            body = {
                "model": "auto",
                "temperature": 1,
                "seed": run,
                "max_tokens": 300,
                "response_format": {"type": "json_schema", "json_schema": {"name": "receipt", "schema": SCHEMA}},
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            words("Extract the company, the date and the total of this receipt."),
                            picture(shared / "samples" / f"{name}.jpg"),
                        ],
                    }
                ],
            }
            async with gate:
                response = await client.post("/chat/completions", json=body)
            assert response.status_code == 200, response.text
            [choice] = response.json()["choices"]
            assert choice["finish_reason"] == "stop"
            found: dict[str, str] = json.loads(choice["message"]["content"])
            assert list(found) == list(FIELDS)
            assert all(isinstance(value, str) and len(value) <= 60 for value in found.values())
            for field in FIELDS:
                right[field] += found[field].casefold().strip() == str(truth[name][field]).casefold()
            return found

        answers = await asyncio.gather(*map(extract, range(runs)))
    assert len(answers) == runs
    print(f"\nright of {runs}: " + ", ".join(f"{field} {count}" for field, count in right.items()))
