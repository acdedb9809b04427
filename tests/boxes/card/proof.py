"""Runs everything on the card, or without one on the CPU, and writes one JSON.

    tests/boxes/card/run [proof.json]

Engines are those whose weights are here: after `openfaze pull gpu` those of the profile, else the small ones that
packages hold. OPENFAZE_ variables hold, such as OPENFAZE_LLM_BASE_URL for vLLM. Exits with 1 if something is not as it
should be.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.settings import Settings
from eval.devices import machine, versions
from models.devices.cards import cards
from models.devices.device import CPU, CUDA, DRIVER
from tests.boxes.card.engines import tried
from tests.boxes.card.server import BREAK, HANG, fault, kept_running, streamed

NO_CARD = "No card was there: everything ran on the CPU."


async def proof(seconds: float, only: Collection[str] = ()) -> dict[str, Any]:
    """Return what was found; `seconds` is the time that each engine works. `only` names what is tried of the engines'
    capabilities, all if empty."""
    started, obstacle = time.perf_counter(), DRIVER.obstacle()
    device = CPU if obstacle else CUDA
    found: dict[str, Any] = {
        "card": asdict(seen) if not obstacle and (seen := cards()) else None,
        "without_a_card": obstacle,
        "device": device,
        "machine": machine(),
        "versions": versions(),
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "engines": [],
    }
    settings = Settings()
    async for one in tried(settings, device, seconds, only):
        print(
            f"{one.capability} by {one.engine}: {one.error or f'{one.per_second:,.2f} {one.unit} a second'}", flush=True
        )
        found["engines"].append(asdict(one) | {"ok": one.same and not one.error})
    with tempfile.TemporaryDirectory() as folder, kept_running(Path(folder), device) as server:
        for name, trial in (
            ("stream", lambda: streamed(server)),
            (HANG, lambda: fault(server, HANG)),
            (BREAK, lambda: fault(server, BREAK)),
        ):
            found[name] = await asyncio.to_thread(trial)
            print(f"{name}: {found[name]}", flush=True)
    parts = [*found["engines"], found["stream"], found[HANG], found[BREAK]]
    return found | {"seconds": round(time.perf_counter() - started), "ok": all(one["ok"] for one in parts)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Prove on this machine's card what could only be rehearsed without one."
    )
    parser.add_argument("out", nargs="?", type=Path, default=Path("proof.json"))
    parser.add_argument("--seconds", type=float, default=10, help="that each engine works")
    parser.add_argument("--only", default="", help="capabilities, with commas between them")
    arguments = parser.parse_args()
    found = asyncio.run(proof(arguments.seconds, tuple(filter(None, arguments.only.split(",")))))
    arguments.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    if found["card"] is None:
        print(f"{NO_CARD} {found['without_a_card']}")
    print(f"{'ok' if found['ok'] else 'NOT as it should be'} after {found['seconds']} s: {arguments.out}")
    return int(not found["ok"])


if __name__ == "__main__":
    sys.exit(main())
