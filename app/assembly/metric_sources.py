"""Sources of the metrics that are counted outside of requests, by engines, the fetcher, worker processes and stores.
They are read at each scrape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from app.access.admission import AdmissionControl
from app.access.keys import ApiKeys
from app.chat.answer_cache import AnswerCache
from app.files.store import FileStore
from app.monitoring.metrics import Metrics, Sample, Source
from app.state.responses import ResponseStore
from models.hosts.measures import Distribution, EngineCounters
from models.runtime import Runtime
from models.workers.pool import Workers
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.search.failover import SearchFailover


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


def fill_from_parts(
    metrics: Metrics,
    *,
    fetcher: Fetcher,
    workers: Workers,
    search: SearchFailover,
    admission_control: AdmissionControl,
    keys: ApiKeys,
    files: FileStore,
    responses: ResponseStore,
    answers: AnswerCache | None,
) -> None:
    """Add the counts of all parts except the engines."""

    def failures() -> Iterator[Sample]:
        for reason, count in workers.restarts.items():
            yield ("decode", "process", reason), count
        for provider, count in list(search.failures.items()):
            yield ("web_search", provider, "failed"), count
        yield ("counters", "store", "unreachable"), admission_control.faults
        yield ("keys", "file", "refused"), keys.refused
        yield ("files", "storage", "failed"), files.faults
        yield ("responses", "store", "unreachable"), responses.faults

    metrics.fill("openfaze_engine_failures_total", failures)
    metrics.fill("openfaze_fetch_total", lambda: [((outcome,), n) for outcome, n in list(fetcher.outcomes.items())])
    metrics.fill("openfaze_decode_restarts_total", lambda: [((why,), n) for why, n in workers.restarts.items()])
    if answers is not None:
        metrics.fill("openfaze_cache_total", lambda: [((one,), count) for one, count in answers.outcomes.items()])
        metrics.fill("openfaze_cache_total", lambda: [(("error",), answers.faults)])


def fill_from_batches(
    metrics: Metrics, outcomes: Mapping[tuple[str], int], faults: Callable[[], Mapping[tuple[str, str], int]]
) -> None:
    """Add the finished lines of batches by `outcomes`, and the `faults` that delayed batches."""
    metrics.fill("openfaze_batch_lines_total", lambda: list(outcomes.items()))
    metrics.fill(
        "openfaze_engine_failures_total", lambda: [(("batches", *fault), count) for fault, count in faults().items()]
    )
