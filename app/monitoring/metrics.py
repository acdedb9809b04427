"""The server's metrics in Prometheus' text format, and the stages of each request, which they count.

Each metric is declared here, and has one or more sources. No label has a value that a
caller can choose. For example, the route label is a path of the application's own routes, or `other` for any other
path.
"""

import asyncio
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.utils import floatToGoString
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from models.hosts.measures import SECONDS, Distribution

PATH = "/metrics"
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OTHER = "other"
"""Value of the route label for unknown paths."""
REJECTIONS = ("rate", "budget", "concurrency", "queue", "guard")

Labels = tuple[str, ...]
Sample = tuple[Labels, "float | Distribution"]
Source = Callable[[], Iterable[Sample]]
"""Source of a metric: a function that returns the current values by their labels. It is called in a thread.

Values with the same labels are added, whether from one source or from several.
"""
_ENGINE = ("capability", "engine")


@dataclass(frozen=True, slots=True)
class MetricDeclaration:
    kind: Literal["counter", "gauge", "histogram"]
    labels: Labels
    help: str


DECLARED: Mapping[str, MetricDeclaration] = {
    "openfaze_requests_total": MetricDeclaration(
        "counter",
        ("route", "task", "status"),
        "Requests that have ended. A stream that fails midway counts with the status of its failure.",
    ),
    "openfaze_request_seconds": MetricDeclaration(
        "histogram", ("route", "task"), "Time from a request's head to the end of its answer."
    ),
    "openfaze_time_to_first_token_seconds": MetricDeclaration(
        "histogram", ("route", "task"), "Time from a request's head to the first piece of its answer, streamed or not."
    ),
    "openfaze_stage_seconds": MetricDeclaration(
        "histogram", ("stage",), "Duration of each stage of a request, as in server-timing."
    ),
    "openfaze_requests_in_progress": MetricDeclaration("gauge", ("route",), "Requests that are running."),
    "openfaze_engine_queue": MetricDeclaration("gauge", _ENGINE, "Items that are waiting for an engine."),
    "openfaze_engine_running": MetricDeclaration("gauge", _ENGINE, "Items that an engine is computing."),
    "openfaze_engine_loaded": MetricDeclaration(
        "gauge", _ENGINE, "1 while an engine is in memory, or its server is known."
    ),
    "openfaze_engine_seconds": MetricDeclaration(
        "histogram", _ENGINE, "Duration of a batch of items, or of a language model's answer."
    ),
    "openfaze_engine_batch_items": MetricDeclaration(
        "histogram", _ENGINE, "Number of items that were computed together."
    ),
    "openfaze_engine_failures_total": MetricDeclaration(
        "counter", (*_ENGINE, "reason"), "Failures of engines, and cases in which they work worse than configured."
    ),
    "openfaze_tokens_total": MetricDeclaration(
        "counter", ("direction",), "Tokens, as in `usage`, including those of batches."
    ),
    "openfaze_rejected_total": MetricDeclaration(
        "counter", ("reason",), "Requests that were well-formed and not served."
    ),
    "openfaze_cache_total": MetricDeclaration("counter", ("outcome",), "Look-ups in the cache of answers."),
    "openfaze_fetch_total": MetricDeclaration("counter", ("outcome",), "URLs fetched: `ok`, or the code of the error."),
    "openfaze_decode_restarts_total": MetricDeclaration("counter", ("reason",), "Worker processes that were replaced."),
    "openfaze_batch_lines_total": MetricDeclaration("counter", ("outcome",), "Lines of batches that have been run."),
}


class Routes:
    """The declared routes. Finds the route of a request by its path."""

    def __init__(self, routes: Iterable[BaseRoute] = ()) -> None:
        known = [route for route in routes if isinstance(route, Route | Mount)]
        self._plain = {route.path for route in known if "{" not in route.path and isinstance(route, Route)}
        self._patterns = [(route.path_regex, route.path) for route in known if route.path not in self._plain]

    def name(self, path: str) -> str:
        if path in self._plain:
            return path
        return next((name for pattern, name in self._patterns if pattern.match(path)), OTHER)

    def without_slash(self, path: str) -> str:
        """Return `path`. A slash at its end is removed if only the path without this slash has a route."""
        is_known = self.name(path) != OTHER or not path.endswith("/") or self.name(path[:-1]) == OTHER
        return path if is_known else path[:-1]


class Stages:
    """Records the stages of one request and their times, for `server-timing`, the log and the metrics."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self.milliseconds: dict[str, float] = {}
        self.task = ""
        """Task that the request runs, or `chat` for the full model. Empty if it runs none, or is malformed."""
        self.first_token_s: float | None = None
        """Time until the first chunk of the answer, in seconds."""
        self.input_tokens = 0
        self.output_tokens = 0
        self.reasoning_tokens = 0
        """Number of the output tokens that are reasoning."""
        self.rejected: str | None = None
        """Reason of a refusal that is not the fault of the request, as counted in `openfaze_rejected_total`."""
        self.is_llm_away = False
        """True if the request failed because the LLM's server serves no request at the moment."""
        self.failed: int | None = None
        """HTTP status of an error after the first byte of a stream, when the client has already got status 200."""

    @property
    def seconds(self) -> float:
        """Time since the request arrived, in seconds."""
        return time.perf_counter() - self._started

    def answers(self) -> None:
        """Record a chunk of the answer. The first chunk determines the time to the first token."""
        if self.first_token_s is None:
            self.first_token_s = self.seconds

    def done(self, stage: str) -> None:
        """End `stage`, which began at the end of the stage before it."""
        now = time.perf_counter()
        self.milliseconds[stage] = round(self.milliseconds.get(stage, 0.0) + (now - self._last) * 1000, 1)
        self._last = now

    @property
    def header(self) -> str:
        """Return the value of `server-timing` (W3C Server Timing), such as `read;dur=0.4, task;dur=231.0`."""
        return ", ".join(f"{stage};dur={ms}" for stage, ms in self.milliseconds.items())


class Metrics:
    """Metrics of one server. Requests are counted on its event loop."""

    def __init__(self, routes: Routes | None = None) -> None:
        self.routes = routes or Routes()
        self._sources: dict[str, list[Source]] = {name: [] for name in DECLARED}
        self._requests: Counter[Labels] = Counter()
        self._in_progress: Counter[Labels] = Counter()
        self._seconds: defaultdict[Labels, Distribution] = defaultdict(_seconds)
        self._first_token: defaultdict[Labels, Distribution] = defaultdict(_seconds)
        self._stages: defaultdict[Labels, Distribution] = defaultdict(_seconds)
        self._tokens: Counter[Labels] = Counter({("input",): 0, ("output",): 0})
        self._rejected: Counter[Labels] = Counter({(reason,): 0 for reason in REJECTIONS})
        own: dict[str, Mapping[Labels, float] | Mapping[Labels, Distribution]] = {
            "openfaze_requests_total": self._requests,
            "openfaze_request_seconds": self._seconds,
            "openfaze_time_to_first_token_seconds": self._first_token,
            "openfaze_stage_seconds": self._stages,
            "openfaze_requests_in_progress": self._in_progress,
            "openfaze_tokens_total": self._tokens,
            "openfaze_rejected_total": self._rejected,
        }
        for name, values in own.items():
            # The list is a copy, because the event loop continues to count.
            self.fill(name, lambda values=values: list(values.items()))  # type: ignore[misc]
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(_Declared(self._sources))
        ProcessCollector(registry=self.registry)

    def fill(self, name: str, source: Source) -> None:
        """Add a source to the metric `name` of DECLARED."""
        self._sources[name].append(source)

    def began(self, path: str) -> str:
        """Count the beginning of a request, and return the name of its route, which `ended` needs."""
        route = self.routes.name(path)
        self._in_progress[route,] += 1
        return route

    def ended(self, route: str, status: int, stages: Stages) -> None:
        self._in_progress[route,] -= 1
        labels = (route, stages.task)
        self._requests[*labels, str(stages.failed or status)] += 1
        self._seconds[labels].add(stages.seconds)
        if stages.first_token_s is not None:
            self._first_token[labels].add(stages.first_token_s)
        for stage, milliseconds in stages.milliseconds.items():
            self._stages[stage,].add(milliseconds / 1000)
        self._tokens["input",] += stages.input_tokens
        self._tokens["output",] += stages.output_tokens
        if stages.rejected is not None:
            self._rejected[stages.rejected,] += 1

    async def text(self) -> bytes:
        """Return all metrics in the format CONTENT_TYPE. A thread renders them, because they have thousands of
        lines."""
        return await asyncio.to_thread(generate_latest, self.registry)


def metrics_app(metrics: Metrics) -> ASGIApp:
    """Return an application for a separate port, which serves only PATH and needs no keys."""

    async def answer(_: Request) -> Response:
        return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE})

    return Starlette(routes=[Route(PATH, answer)])


def _seconds() -> Distribution:
    return Distribution(SECONDS)


class _Declared:
    """Collects the values of all metrics in DECLARED from their sources."""

    def __init__(self, sources: Mapping[str, Sequence[Source]]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for name, declared in DECLARED.items():
            values: dict[Labels, float | Distribution] = {}
            for labels, value in itertools.chain.from_iterable(source() for source in self._sources[name]):
                values[labels] = values[labels] + value if labels in values else value  # type: ignore[operator]
            yield _family(name, declared, values)


def _family(name: str, declared: MetricDeclaration, values: Mapping[Labels, float | Distribution]) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
    match declared.kind:
        case "counter":
            family = CounterMetricFamily(name, declared.help, labels=declared.labels)
        case "gauge":
            family = GaugeMetricFamily(name, declared.help, labels=declared.labels)
        case "histogram":
            family = HistogramMetricFamily(name, declared.help, labels=declared.labels)
    for labels, value in sorted(values.items()):
        if isinstance(value, Distribution):
            assert isinstance(family, HistogramMetricFamily)
            family.add_metric(labels, *_histogram(value))
        else:
            assert not isinstance(family, HistogramMetricFamily)
            family.add_metric(labels, value)
    return family


def _histogram(value: Distribution) -> tuple[list[tuple[str, float]], float]:
    """Return the cumulative buckets of a distribution, and its sum."""
    bounds = [*map(floatToGoString, value.bounds), "+Inf"]
    return list(zip(bounds, map(float, itertools.accumulate(value.counts)), strict=True)), value.sum
