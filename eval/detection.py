"""Compares object detection over HTTP with the engine alone, in turns within one run.

    .venv/bin/python -m eval.detection [--rounds 5] [--pictures DIR] [--repeat 40]

The raw engine is a simple Python program: it decodes a JPEG with OpenCV, resizes it, runs FastestDet on onnxruntime
with one thread, decodes the output and removes duplicates. In each round, the contestants search the same pictures in
turn, so that other load on the machine slows all of them; the ratios are medians of the rounds' ratios.
"""

import argparse
import asyncio
import json
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eval.contestants import Contestant, InProcess, Job, Outcome, OverHttp, print_round, timed_pool
from tests.conftest import SHARED
from tests.e2e.conftest import data_url
from tests.kit.servers.server import serving

WEIGHTS = SHARED / "weights"
RAW = "raw FastestDet, 1 thread"
OWN = "openfaze in process"
HTTP = OverHttp.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=Path, default=SHARED / "samples")
    parser.add_argument("--repeat", type=int, default=40, help="how often each picture is searched in a round")
    arguments = parser.parse_args()

    found = [path.read_bytes() for path in sorted(arguments.pictures.glob("photo_*.jpg"))]
    pictures = tuple(found or [path.read_bytes() for path in sorted(arguments.pictures.glob("*.jpg"))])
    pictures *= arguments.repeat
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", weights_dir=WEIGHTS, preload="object_detection") as server,
    ):
        contestants: list[Contestant] = [
            InProcess(RAW, raw_engine, str(WEIGHTS / "fastestdet.onnx")),
            InProcess(OWN, own_engine, str(WEIGHTS)),
            DetectionOverHttp(server.base_url, server.process.pid),
        ]
        for contestant in contestants:
            contestant.run(Job(pictures[:4], 1))
        for callers in (1, 8):
            print_round(contestants, Job(pictures, callers), arguments.rounds, found="objects", bases=(RAW, OWN))
        for contestant in contestants:
            contestant.close()


def raw_engine(path: str) -> Callable[[Job], Outcome]:
    """Return the raw engine for one caller at a time: a session with one thread is fastest in a loop."""
    import cv2
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options)
    one_at_a_time = threading.Lock()

    def search(picture: bytes) -> int:
        with one_at_a_time:
            image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
            planes = cv2.resize(image, (352, 352)).transpose(2, 0, 1)[None].astype(np.float32) / 255
            (output,) = session.run(None, {"input.1": planes})
            grid = output[0]
            scores = grid[0] ** 0.6 * grid[5:].max(0) ** 0.4
            rows, columns = np.nonzero(scores >= 0.65)
            x, y, w, h = grid[1:5, rows, columns]
            w, h = 1 / (1 + np.exp(-w)), 1 / (1 + np.exp(-h))
            boxes = np.stack([(columns + np.tanh(x)) / 22 - w / 2, (rows + np.tanh(y)) / 22 - h / 2, w, h], 1)
            boxes *= [image.shape[1], image.shape[0]] * 2
            kinds = grid[5:].argmax(0)[rows, columns]
            kept = cv2.dnn.NMSBoxesBatched(boxes.tolist(), scores[rows, columns].tolist(), kinds.tolist(), 0.65, 0.45)
            return len(kept)

    return lambda job: timed_pool(search, job)


def own_engine(weights: str) -> Callable[[Job], Outcome]:
    """Return openfaze's task in this process: the work of a request, without HTTP."""
    from app.assembly.services import Services
    from app.settings import Settings
    from tasks.base import TaskRequest
    from tasks.detection.search import DetectionOptions
    from tasks.inputs.source import Origin, Source

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def build() -> Services:
        return Services(Settings(_env_file=None, weights_dir=weights))

    services = asyncio.run_coroutine_threadsafe(build(), loop).result()

    def search(picture: bytes) -> int:
        source = Source.from_reference(data_url(picture, "image/jpeg"), origin=Origin("picture"))
        work = services.tasks.find("object_detection").run(TaskRequest(DetectionOptions(), (source,)))
        result: Any = asyncio.run_coroutine_threadsafe(work, loop).result()
        return len(result.data["detected_objects"])

    return lambda job: timed_pool(search, job)


class DetectionOverHttp(OverHttp):
    """openfaze behind its own HTTP server, called by clients in this process."""

    def _read(self, picture: bytes) -> int:
        body = {
            "model": "interfaze-beta",
            "messages": [
                {"role": "system", "content": "<task>object_detection</task>"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Detect all objects."},
                        {"type": "image_url", "image_url": {"url": data_url(picture, "image/jpeg")}},
                    ],
                },
            ],
        }
        response = self._client.post("/v1/chat/completions", json=body)
        response.raise_for_status()
        content = json.loads(response.json()["choices"][0]["message"]["content"])
        return len(content["result"]["detected_objects"])


if __name__ == "__main__":
    main()
