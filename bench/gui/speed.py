"""Compares GUI detection over HTTP with direct calls of its engines, in turns within one run.

    .venv/bin/python -m bench.gui.speed [--rounds 3] [--repeat 4] [--folder DIR]

The raw contestant is a loop around the engines, which reads and searches one picture after the other. In each round,
the contestants search the same pictures in turn, so that other load on the machine slows all of them; the ratios are
medians of the rounds' ratios. The pictures are measuring pages that `bench.gui` has rendered.
"""

import argparse
import asyncio
import json
import tempfile
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from bench.contestants import Contestant, InProcess, Job, Outcome, OverHttp, print_round, timed_pool
from models.vision.gui.capability import GUI_DETECTION
from models.vision.ocr.capability import OCR
from tests.e2e.conftest import data_url
from tests.server import serving

RAW, OWN, HTTP = "engines, one call at a time", "openfaze in process", OverHttp.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=4, help="how often each picture is searched in a round")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/openfaze-gui"))
    arguments = parser.parse_args()

    found = sorted((arguments.folder / "measuring").glob("*-desktop-en-*.png"))[::6]
    pictures = tuple(path.read_bytes() for path in found) * arguments.repeat
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", preload="ocr,gui_detection") as server,
    ):
        contestants: list[Contestant] = [
            InProcess(RAW, raw_engine),
            InProcess(OWN, own_engine),
            GuiOverHttp(server.base_url, server.process.pid),
        ]
        for contestant in contestants:
            contestant.run(Job(pictures[: len(found)], 1))
        for callers in (1, 8):
            print_round(contestants, Job(pictures, callers), arguments.rounds, found="elements", bases=(RAW,))
        for contestant in contestants:
            contestant.close()


def raw_engine() -> Callable[[Job], Outcome]:
    from models.capability import EngineConfig
    from models.catalog import CATALOG
    from models.runtime import Runtime

    loop = _running_loop()
    one_at_a_time = threading.Lock()

    async def build() -> Runtime:
        return Runtime(CATALOG, EngineConfig())

    runtime = asyncio.run_coroutine_threadsafe(build(), loop).result()

    async def search(picture: bytes) -> int:
        image = np.asarray(PIL.Image.open(BytesIO(picture)).convert("RGB"))
        lines = await runtime.use(OCR).read(image)
        return len(await runtime.use(GUI_DETECTION).detect(image, lines))

    def one(picture: bytes) -> int:
        with one_at_a_time:
            return asyncio.run_coroutine_threadsafe(search(picture), loop).result()

    return lambda job: timed_pool(one, job)


def own_engine() -> Callable[[Job], Outcome]:
    """Return openfaze's task in this process: the work of a request, without HTTP."""
    from app.assembly.services import Services
    from app.settings import Settings
    from tasks.base import TaskRequest
    from tasks.inputs.source import Origin, Source

    loop = _running_loop()

    async def build() -> Services:
        return Services(Settings(_env_file=None))

    services = asyncio.run_coroutine_threadsafe(build(), loop).result()

    def search(picture: bytes) -> int:
        source = Source.from_reference(data_url(picture, "image/png"), origin=Origin("picture"))
        work = services.tasks.find("gui_detection").run(TaskRequest("", (source,)))
        result: Any = asyncio.run_coroutine_threadsafe(work, loop).result()
        return len(result.data["gui_elements"])

    return lambda job: timed_pool(search, job)


def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


class GuiOverHttp(OverHttp):
    def _read(self, picture: bytes) -> int:
        url = {"url": data_url(picture, "image/png")}
        body = {
            "model": "interfaze-beta",
            "messages": [
                {"role": "system", "content": "<task>gui_detection</task>"},
                {"role": "user", "content": [{"type": "image_url", "image_url": url}]},
            ],
        }
        response = self._client.post("/v1/chat/completions", json=body)
        response.raise_for_status()
        content = json.loads(response.json()["choices"][0]["message"]["content"])
        return len(content["result"]["gui_elements"])


if __name__ == "__main__":
    main()
