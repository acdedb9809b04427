"""The server's metrics in Prometheus' text format. Each metric is declared here, and has one or more sources.

Counters of engines, of the fetcher and of the decode processes are read at each scrape. No label has a value that a
caller can choose. For example, the route label is a path of the application's own routes, or `other` for any other
path.
"""

import asyncio
import itertools
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

from app.access.admission import AdmissionControl
from app.access.keys import ApiKeys
from app.chat.cache.answer_cache import AnswerCache
from app.files.store import FileStore
from app.state.responses import ResponseStore
from app.telemetry import Stages
from models.hosts.measures import SECONDS, Distribution, EngineCounters
from models.runtime import Runtime
from models.workers.pool import Workers
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.scrape.browser import LateBrowser
from tasks.search.failover import SearchFailover

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
        return await asyncio.to_thread(self.render)

    def render(self) -> bytes:
        """Return all metrics in the format CONTENT_TYPE."""
        return b"".join(generate_latest(_OfOneFamily(family)) for family in self.registry.collect())


def metrics_app(metrics: Metrics) -> ASGIApp:
    """Return an application for a separate port, which serves only PATH and needs no keys."""

    async def answer(_: Request) -> Response:
        return Response(await metrics.text(), headers={"content-type": CONTENT_TYPE})

    return Starlette(routes=[Route(PATH, answer)])


def _seconds() -> Distribution:
    return Distribution(SECONDS)


@dataclass(frozen=True, slots=True)
class _OfOneFamily:
    """A registry of one metric."""

    family: Metric

    def collect(self) -> Iterator[Metric]:
        yield self.family


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


def fill_from_engines(metrics: Metrics, runtime: Runtime) -> None:
    """Add the queues, counts and durations of engines."""

    def counted(of: Callable[[EngineCounters], float | Distribution]) -> Source:
        return lambda: [((spec.capability, spec.name), of(part.counters)) for spec, part in runtime.parts()]

    def loaded() -> Iterator[Sample]:
        # An engine of several parts counts as loaded when all of them are loaded.
        parts = [((spec.capability, spec.name), part.loaded) for spec, part in runtime.parts()]
        for labels in dict.fromkeys(labels for labels, _ in parts):
            yield labels, float(all(is_loaded for other, is_loaded in parts if other == labels))

    def failures() -> Iterator[Sample]:
        for spec, part in runtime.parts():
            for reason, count in list(part.counters.failures.items()):
                yield (spec.capability, spec.name, reason), count
        for (spec, reason), count in list(runtime.failures.items()):
            yield (spec.capability, spec.name, reason), count

    def now(of: Literal["queued", "running"]) -> Source:
        return lambda: [((spec.capability, spec.name), getattr(part, of)) for spec, part in runtime.parts()]

    metrics.fill("openfaze_engine_queue", now("queued"))
    metrics.fill("openfaze_engine_running", now("running"))
    metrics.fill("openfaze_engine_loaded", loaded)
    metrics.fill("openfaze_engine_seconds", counted(lambda counters: counters.seconds))
    metrics.fill("openfaze_engine_batch_items", counted(lambda counters: counters.batch_items))
    metrics.fill("openfaze_engine_failures_total", failures)


def fill_from_inputs(
    metrics: Metrics, fetcher: Fetcher, workers: Workers, search: SearchFailover, browser: LateBrowser
) -> None:
    """Add the counts of the fetcher, the decoders, the search and the browser."""

    def restarts() -> Iterator[Sample]:
        return (((reason,), count) for reason, count in workers.restarts.items())

    def failures() -> Iterator[Sample]:
        for reason, count in workers.restarts.items():
            yield ("decode", "process", reason), count
        for provider, count in list(search.failures.items()):
            yield ("web_search", provider, "failed"), count
        yield ("browser", "chromium", "died"), browser.deaths

    metrics.fill("openfaze_fetch_total", lambda: [((outcome,), n) for outcome, n in list(fetcher.outcomes.items())])
    metrics.fill("openfaze_decode_restarts_total", restarts)
    metrics.fill("openfaze_engine_failures_total", failures)


def fill_from_access(metrics: Metrics, admission_control: AdmissionControl, keys: ApiKeys) -> None:
    """Add the failures of the store that counts each key's use (`AdmissionControl`), and the number of times that a
    changed file of keys was refused as invalid."""

    def failures() -> Iterator[Sample]:
        yield ("counters", "store", "unreachable"), admission_control.faults
        yield ("keys", "file", "refused"), keys.refused

    metrics.fill("openfaze_engine_failures_total", failures)


def fill_from_stores(metrics: Metrics, files: FileStore, responses: ResponseStore) -> None:
    """Add the faults of the stores of files and responses."""

    def failures() -> Iterator[Sample]:
        yield ("files", "storage", "failed"), files.faults
        yield ("responses", "store", "unreachable"), responses.faults

    metrics.fill("openfaze_engine_failures_total", failures)


def fill_from_batches(
    metrics: Metrics, outcomes: Mapping[tuple[str], int], faults: Callable[[], Mapping[tuple[str, str], int]]
) -> None:
    """Add the finished lines of batches by `outcomes`, and the `faults` that delayed batches."""
    metrics.fill("openfaze_batch_lines_total", lambda: list(outcomes.items()))
    metrics.fill(
        "openfaze_engine_failures_total", lambda: [(("batches", *fault), count) for fault, count in faults().items()]
    )


def fill_from_cache(metrics: Metrics, answer_cache: AnswerCache) -> None:
    """Add the outcomes of look-ups in the cache, and its errors."""
    metrics.fill("openfaze_cache_total", lambda: [((one,), count) for one, count in answer_cache.outcomes.items()])
    metrics.fill("openfaze_cache_total", lambda: [(("error",), answer_cache.faults)])
