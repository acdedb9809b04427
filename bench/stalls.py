"""Sends large requests that may stall the server, and measures the longest time that /health takes to answer.

python -m bench.stalls [--size 0.9]
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from bench.fairness import client_of
from bench.floods import PAUSE_S
from tests.deep.test_sizes import GROWING
from tests.llm_server import Reply, serving_llm
from tests.server import serving

KEY = "key-of-alice"
MB = 1 << 20


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
        headers = {**sent.headers, "authorization": f"Bearer {KEY}"}
        response = await client.post(sent.path, content=sent.body, headers=headers)
        took = time.perf_counter() - asked
        ended.set()
        print(f"{name:32} {response.status_code} {took:7.2f} s, /health {await watching * 1e3:7.0f} ms", flush=True)


async def main(size: int) -> None:
    with (
        serving_llm(lambda _: Reply("{}", delay_s=0.05)) as llm,
        tempfile.TemporaryDirectory() as folder,
        serving(
            Path(folder) / "log",
            api_keys=KEY,
            llm_base_url=llm.base_url,
            llm_model="scripted",
            llm_abilities="tools,json_schema",
            llm_context_tokens=32768,
            code_sandbox="on",
        ) as server,
    ):
        async with client_of(server.base_url) as client:
            await stalls(client, size)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=0.9, help="megabytes of each case")
    asyncio.run(main(int(parser.parse_args().size * MB)))
