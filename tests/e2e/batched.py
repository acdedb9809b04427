"""Files of requests for /v1/batches, as OpenAI's SDK sends them, and what comes back."""

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import openai
from openai.types import Batch

from tests.kit.servers.llm_server import LlmServer
from tests.kit.servers.server import Server

KEY, OTHER = "test-key-1", "test-key-2"
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
EMBEDDINGS, MODERATIONS = "/v1/embeddings", "/v1/moderations"
LIMIT_S = 120.0
OVER = ("completed", "failed", "expired", "cancelled")


def of_llm(llm: LlmServer, **settings: object) -> dict[str, object]:
    return {"llm_base_url": llm.base_url, "llm_model": "scripted", "llm_abilities": "tools", **settings}


def client_of(server: Server, key: str = KEY) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=key, max_retries=0, timeout=LIMIT_S)


def line(custom_id: str, text: str = "Hello.", url: str = CHAT, **fields: object) -> dict[str, Any]:
    body = {"model": "interfaze-beta", "messages": [{"role": "user", "content": text}], **fields}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body}


def upload(client: openai.OpenAI, *lines: object) -> str:
    content = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return client.files.create(file=("in.jsonl", content.encode()), purpose="batch").id


def create(client: openai.OpenAI, *lines: object, endpoint: Any = CHAT, **fields: Any) -> Batch:
    file = upload(client, *lines)
    return client.batches.create(input_file_id=file, endpoint=endpoint, completion_window="24h", **fields)


def when(client: openai.OpenAI, batch: Batch, condition: Callable[[Batch], bool]) -> Batch:
    deadline = time.monotonic() + LIMIT_S
    while not condition(batch := client.batches.retrieve(batch.id)):
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)
    return batch


def ended(client: openai.OpenAI, batch: Batch) -> Batch:
    return when(client, batch, lambda batch: batch.status in OVER)


def rows(client: openai.OpenAI, file_id: str | None) -> dict[str, Any]:
    assert file_id is not None
    content = client.files.content(file_id).text
    return {row["custom_id"]: row for row in map(json.loads, content.splitlines())}


def prompts(llm: LlmServer) -> Counter[str]:
    """How often the LLM was asked what."""
    return Counter(request.body["messages"][-1]["content"] for request in llm.requests)
