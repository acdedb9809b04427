"""Parts of a server that run batches, with an endpoint whose answers a test controls."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.access.keys import EVERYONE, Caller, KeyReference
from app.assembly.services import Services
from app.batches import runner as batch_runner
from app.batches.lines import LineRunner
from app.batches.runner import BatchRunner
from app.batches.store import Batch, BatchStore
from app.batches.webhook import Webhook
from app.middleware import RequestScope
from app.monitoring.metrics import Stages
from app.settings import Settings
from app.wire.parse import parse
from app.wire.request import RequestModel

URL = "/v1/echo"
LIMIT_S = 60.0
"""Longest wait for an event that is bound to happen, in seconds, however busy the machine is."""


class Echo(RequestModel):
    text: str


class World:
    """Parts of a server, with an endpoint that echoes texts, and delays or fails as a test requires."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"llm": "off", "search_provider": "off", "files_dir": str(folder / "files")}
        self.services = Services(Settings(_env_file=None, **given | settings))
        self.now = 1_000_000.0
        self.asked: Counter[str] = Counter()
        self.callers: list[Caller] = []
        self.held: dict[str, asyncio.Event] = {}
        """Events that release delayed answers, by text."""
        self.failures: dict[str, list[Exception]] = {}
        """Failures of a text, in order, before it is answered."""
        self.changed = asyncio.Event()
        self.store = BatchStore(self.services.database)

    async def answer(self, request: Request) -> Response:
        body = parse(Echo, await request.body())
        self.asked[body.text] += 1
        self.callers.append(request.state.caller)
        await request.state.admission.reserve("ocr", prompt_tokens=3, answer_tokens=2)
        if body.text in self.held:
            await self.held[body.text].wait()
        if self.failures.get(body.text):
            raise self.failures[body.text].pop(0)
        stages: Stages = request.state.stages
        stages.input_tokens, stages.output_tokens, stages.reasoning_tokens = 3, 2, 1
        return JSONResponse({"said": body.text})

    def runner(self, *, at_once: int = 1, webhook: Webhook | None = None) -> BatchRunner:
        services = self.services
        app = Starlette(routes=[Route(URL, self._answer, methods=["POST"])])
        app.add_middleware(RequestScope, services=services)
        lines = LineRunner(app, at_once)
        return BatchRunner(self.store, services.files, services.keys, lines, webhook, clock=lambda: self.now)

    async def _answer(self, request: Request) -> Response:
        return await self.answer(request)

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[BatchRunner]:
        runner = self.runner(**options)
        task = asyncio.create_task(runner.run_for_ever())
        try:
            yield runner
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def upload(self, *texts: str, owner: str = EVERYONE, data: bytes | None = None) -> str:
        rows = [{"custom_id": f"id-{text}", "method": "POST", "url": URL, "body": {"text": text}} for text in texts]
        async with self.services.files.writing(owner) as writing:
            await writing.write(data or b"".join(json.dumps(row).encode() + b"\n" for row in rows))
            return (await writing.publish("in.jsonl", "batch", None)).id

    async def add(
        self, *texts: str, owner: str = EVERYONE, key: KeyReference | None = None, data: bytes | None = None
    ) -> str:
        """Add a batch of `key`, or a batch of `owner` without its key, as an earlier version stored it. Return its
        id."""
        key = key or KeyReference(owner)
        file = await self.upload(*texts, owner=key.tenant, data=data)
        batch = Batch(
            f"batch_{file}",
            key.tenant,
            URL,
            file,
            self.now,
            self.now + 24 * 3600,
            key_digest=key.digest,
            key_name=key.name,
        )
        await self.store.add(batch, limit=10)
        return batch.id

    async def batch(self, batch_id: str, owner: str = EVERYONE) -> Batch:
        batch = await self.store.find(owner, batch_id)
        assert batch is not None
        return batch

    async def ended(self, batch_id: str, owner: str = EVERYONE) -> Batch:
        return await self.when(batch_id, lambda batch: batch.status in ENDED, owner)

    async def when(self, batch_id: str, condition: Callable[[Batch], bool], owner: str = EVERYONE) -> Batch:
        async with asyncio.timeout(LIMIT_S):
            while not condition(batch := await self.batch(batch_id, owner)):
                await asyncio.sleep(0.01)
        return batch

    async def read(self, file_id: str | None, owner: str = EVERYONE) -> list[dict[str, Any]]:
        assert file_id is not None
        file = await self.services.files.find(owner, file_id)
        assert file is not None
        assert file.purpose == "batch_output"
        content = b"".join([piece async for piece in self.services.files.pieces(file)])
        return [json.loads(line) for line in content.splitlines()]


ENDED = ("completed", "failed", "expired", "cancelled")


@asynccontextmanager
async def open_world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    """Provide a world whose runners poll the store often, because tests put batches into the store without waking
    them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_runner, "POLL_S", 0.02)
        world = World(folder, **settings)
        yield world
        await world.services.close()


def said(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {row["custom_id"]: row["response"]["body"] for row in rows}
