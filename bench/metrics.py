"""Cost of counting a request in the metrics, and of showing the metrics.

python -m bench.metrics
"""

import asyncio
import time

from app.main import create_app
from app.settings import Settings
from app.telemetry import Stages

REQUESTS = 20_000
STAGES = ("read", "guard", "gather", "answer", "render")


def counted(requests: int) -> float:
    """Return the microseconds of processor time per request, with five stages; a third of the requests goes to a route
    with a parameter."""
    metrics = create_app(Settings(_env_file=None)).state.services.metrics
    paths = ("/v1/chat/completions", "/v1/files/file-0123/content", "/v1/moderations")
    started = time.process_time()
    for number in range(requests):
        route = metrics.began(paths[number % 3])
        stages = Stages()
        stages.task, stages.input_tokens, stages.output_tokens = "chat", 10, 20
        stages.milliseconds = dict.fromkeys(STAGES, 1.0)
        stages.answers()
        metrics.ended(route, 200, stages)
    spent = time.process_time() - started
    started = time.perf_counter()
    size = len(asyncio.run(metrics.text()))
    print(f"GET /metrics: {(time.perf_counter() - started) * 1e3:.1f} ms in a thread, {size:,} bytes")
    return spent / requests * 1e6


if __name__ == "__main__":
    print(f"a request: {counted(REQUESTS):.1f} µs")
