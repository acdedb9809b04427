"""What is sent to stall the server, in large sizes: the longest unanswered /health, and what a flood costs another key.

python -m tests.bench.stalls [--size 1.0] [--calls 40] [--flood 100]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.deep.test_sizes import GROWING
from tests.e2e.conftest import data_url, ocr_request
from tests.llm_server import Reply, serving_llm
from tests.origin import serving_origin
from tests.pages import single_line
from tests.server import serving

ALICE, BOB = "key-of-alice", "key-of-bob"
CHAT = "/v1/chat/completions"
PAUSE_S = 0.01
MB = 1 << 20
Ask = Callable[[], dict[str, Any]]


async def longest_health_s(client: httpx.AsyncClient, until: asyncio.Event) -> float:
    longest = 0.0
    while not until.is_set():
        asked = time.perf_counter()
        await client.get("/health")
        longest = max(longest, time.perf_counter() - asked)
        await asyncio.sleep(PAUSE_S)
    return longest


async def stalls(client: httpx.AsyncClient, size: int) -> None:
    for name, make in GROWING.items():
        sent, ended = make(size), asyncio.Event()
        watching = asyncio.create_task(longest_health_s(client, ended))
        asked = time.perf_counter()
        headers = {**sent.headers, "authorization": f"Bearer {ALICE}"}
        response = await client.post(sent.path, content=sent.body, headers=headers)
        took = time.perf_counter() - asked
        ended.set()
        print(f"{name:32} {response.status_code} {took:7.2f} s, /health {await watching * 1e3:7.0f} ms", flush=True)


async def p95_s(client: httpx.AsyncClient, ask: Ask, calls: int) -> float:
    took = []
    for _ in range(calls):
        asked = time.perf_counter()
        response = await client.post(CHAT, json=ask(), headers={"authorization": f"Bearer {BOB}"})
        response.raise_for_status()
        took.append(time.perf_counter() - asked)
    return float(np.percentile(took, 95))


async def fairness(client: httpx.AsyncClient, name: str, flood: Ask, ask: Ask, many: int, calls: int) -> None:
    async def flooding() -> None:
        while True:
            await client.post(CHAT, json=flood(), headers={"authorization": f"Bearer {ALICE}"})
            await asyncio.sleep(PAUSE_S)

    await p95_s(client, ask, 2)  # engines are loaded
    quiet = await p95_s(client, ask, calls)
    floods = [asyncio.create_task(flooding()) for _ in range(many)]
    try:
        await asyncio.sleep(1)
        flooded = await p95_s(client, ask, calls)
    finally:
        for one in floods:
            one.cancel()
        await asyncio.wait(floods)
    print(f"{name:12} p95 quiet {quiet:.2f} s, flooded {flooded:.2f} s: {flooded / quiet:.1f} times", flush=True)


def script(code: str) -> dict[str, Any]:
    system = {"role": "system", "content": "<task>code_sandbox</task>"}
    return {"model": "interfaze-beta", "messages": [system, {"role": "user", "content": f"```python\n{code}\n```"}]}


async def main(size: int, calls: int, flood: int) -> None:
    with serving_llm(lambda _: Reply("{}")) as llm, serving_origin() as origin, tempfile.TemporaryDirectory() as folder:
        origin.files["/sign.png"] = single_line("Platform nine").encoded()
        page = ocr_request(data_url(origin.files["/sign.png"]))
        settings = {"llm_base_url": llm.base_url, "llm_model": "scripted", "llm_abilities": "tools,json_schema"}
        with serving(
            Path(folder) / "log",
            api_keys=f"{ALICE},{BOB}",
            llm_context_tokens=32768,
            fetch_allow="127.0.0.1/32",
            code_sandbox="on",
            **settings,
        ) as server:
            limits = httpx.Limits(max_connections=None)
            async with httpx.AsyncClient(
                base_url=server.base_url, timeout=600, limits=limits, trust_env=False
            ) as client:
                if size:
                    await stalls(client, size)
                held, sign = ocr_request(origin.url("/held/sign.png")), ocr_request(origin.url("/sign.png"))
                await fairness(client, "OCR", lambda: page, lambda: page, flood, calls)
                endless = script("while True: pass")
                await fairness(client, "sandbox", lambda: endless, lambda: script("print(1)"), min(flood, 6), calls)
                await fairness(client, "fetches", lambda: held, lambda: sign, flood, calls)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=0.9, help="megabytes of each case; 0 for none")
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--flood", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(int(arguments.size * MB), arguments.calls, arguments.flood))
