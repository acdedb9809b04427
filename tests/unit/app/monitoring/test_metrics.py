"""What the server counts of itself."""

import asyncio
import errno
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.access.key_file import add_key
from app.assembly.metric_sources import fill_from_engines
from app.assembly.services import Services
from app.errors import Unavailable
from app.main import create_app
from app.monitoring.metrics import (
    DECLARED,
    OTHER,
    REJECTIONS,
    Metrics,
    Routes,
    Stages,
)
from app.settings import Settings
from app.state.entries import StoreDown
from app.state.responses import StoredResponse
from models.base import EngineFailed, EngineSpec, EngineTooSlow, EngineUnavailable
from models.capability import Built, Candidate, Capability, EngineConfig
from models.hosts.host import EngineHost
from models.hosts.measures import SECONDS, Distribution, EngineCounters, reason_of
from models.hosts.workplace import HostLimits
from models.runtime import Runtime
from tests.conftest import ROOT, each_case
from tests.kit.servers.server import free_port
from tests.unit.app.state.test_database import files_in

PAGE = (ROOT / "docs" / "metrics.md").read_text()
OBSERVABILITY = ROOT / "docker" / "observability"
SPEC = EngineSpec("toy", "toys", "MIT", "nowhere")
Samples = dict[tuple[str, tuple[str, ...]], float]


def empty_response() -> StoredResponse:
    return StoredResponse(None, b"[]", b"[]", b"{}")


async def samples(metrics: Metrics) -> Samples:
    """What a scraper reads: values by the name of the sample and its labels' values, in the order of their names."""
    found = {}
    for family in text_string_to_metric_families((await metrics.text()).decode()):
        for sample in family.samples:
            found[sample.name, tuple(value for _, value in sorted(sample.labels.items()))] = sample.value
    return found


class Toy:
    """Doubles numbers; breaks on negative ones, and does not load while `is_broken`."""

    is_broken = False

    def load(self) -> None:
        if self.is_broken:
            raise RuntimeError("no such file")

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        return [ValueError("a secret") if item < 0 else 2 * item for item in batch]

    def close(self) -> None:
        pass


def a_runtime(*hosts: EngineHost[int, int]) -> Runtime:
    """A runtime of one engine, whose parts are `hosts`."""

    async def self_test(_: object) -> str:
        return "ok"

    engine = Candidate(SPEC, lambda _: None, lambda _: Built(hosts[0], hosts))
    capability: Capability[EngineHost[int, int]] = Capability("toys", [engine], self_test)
    runtime = Runtime({"toys": capability}, EngineConfig())
    runtime.use(capability)
    return runtime


def a_host(toy: Toy | None = None) -> EngineHost[int, int]:
    return EngineHost(SPEC, lambda: toy or Toy(), HostLimits(max_batch=8))


async def test_what_is_declared_is_told_with_its_type_and_nothing_else_but_the_process() -> None:
    text = (await Metrics().text()).decode()
    families = {one.name: one for one in text_string_to_metric_families(text) if not one.name.startswith("process_")}
    assert {name.removesuffix("_total"): one.kind for name, one in DECLARED.items()} == {
        name: one.type for name, one in families.items()
    }
    assert all(families[name.removesuffix("_total")].documentation == one.help for name, one in DECLARED.items())


async def test_a_request_is_counted_while_it_runs_and_when_it_has_ended() -> None:
    metrics, stages = Metrics(Routes()), Stages()
    route = metrics.began("/anything?key=secret")
    assert (await samples(metrics))["openfaze_requests_in_progress", (OTHER,)] == 1
    stages.task, stages.rejected, stages.input_tokens, stages.output_tokens = "ocr", "queue", 7, 3
    stages.done("read")
    stages.answers()
    metrics.ended(route, 503, stages)
    found = await samples(metrics)
    assert found["openfaze_requests_in_progress", (OTHER,)] == 0
    assert found["openfaze_requests_total", (OTHER, "503", "ocr")] == 1
    assert found["openfaze_request_seconds_count", (OTHER, "ocr")] == 1
    assert found["openfaze_time_to_first_token_seconds_count", (OTHER, "ocr")] == 1
    assert found["openfaze_stage_seconds_count", ("read",)] == 1
    assert (found["openfaze_tokens_total", ("input",)], found["openfaze_tokens_total", ("output",)]) == (7, 3)
    assert [found["openfaze_rejected_total", (reason,)] for reason in REJECTIONS] == [0, 0, 0, 1, 0]


async def test_a_stream_that_fails_amid_its_answer_counts_as_what_it_failed_with() -> None:
    metrics, stages = Metrics(), Stages()
    stages.failed = 503
    metrics.ended(metrics.began("/"), 200, stages)
    assert (await samples(metrics))["openfaze_requests_total", (OTHER, "503", "")] == 1


def test_every_route_has_its_name_and_all_that_is_none_has_one() -> None:
    app = create_app(Settings(_env_file=None))
    services: Services = app.state.services
    for path in app.openapi()["paths"]:
        asked = path.replace("{", "x").replace("}", "y")
        route = services.metrics.began(asked)
        assert route == path
        services.metrics.ended(route, 200, Stages())
    for path in ("/v1/secret", "/v1/files/a/b/c", "/wp-login.php", ""):
        assert services.metrics.began(path) == OTHER


async def test_a_source_is_asked_when_somebody_asks_and_equal_labels_are_added() -> None:
    metrics, outcomes = Metrics(), {("hit",): 1}
    metrics.fill("openfaze_cache_total", outcomes.items)
    metrics.fill("openfaze_cache_total", lambda: [(("hit",), 10), (("error",), 2)])
    outcomes[("hit",)] = 5
    found = await samples(metrics)
    assert found["openfaze_cache_total", ("hit",)] == 15
    assert found["openfaze_cache_total", ("error",)] == 2


async def test_the_parts_of_an_engine_count_together() -> None:
    first, second = a_host(), a_host()
    metrics, runtime = Metrics(), a_runtime(first, second)
    fill_from_engines(metrics, runtime)
    await first.run_many([1, 2, 3])
    assert (await samples(metrics))["openfaze_engine_loaded", ("toys", "toy")] == 0
    await second.run(1)
    found = await samples(metrics)
    assert found["openfaze_engine_loaded", ("toys", "toy")] == 1
    assert found["openfaze_engine_batch_items_sum", ("toys", "toy")] == 4
    assert (
        found["openfaze_engine_seconds_count", ("toys", "toy")]
        == found["openfaze_engine_batch_items_count", ("toys", "toy")]
    )
    assert (found["openfaze_engine_queue", ("toys", "toy")], found["openfaze_engine_running", ("toys", "toy")]) == (
        0,
        0,
    )
    await runtime.close()


async def test_what_goes_wrong_with_an_engine_is_counted_by_its_reason() -> None:
    toy, metrics = Toy(), Metrics()
    host = a_host(toy)
    runtime = a_runtime(host)
    fill_from_engines(metrics, runtime)
    toy.is_broken = True
    with pytest.raises(EngineUnavailable):
        await host.run(1)
    toy.is_broken = False
    with pytest.raises(EngineFailed):
        await host.run(-1)
    await host.unload()
    await host.run(1)
    found = await samples(metrics)
    reasons = {labels[2]: value for (name, labels), value in found.items() if "failures" in name}
    assert reasons == {"load": 1, "error": 1, "reload": 1}
    await runtime.close()


async def test_what_keys_may_use_is_counted_where_it_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    key = add_key(file, "alice", {"requests_per_minute": 1})
    services = Services(
        Settings(
            _env_file=None,
            files_dir=str(tmp_path / "files"),
            keys_file=str(file),
            rates_url=f"redis://127.0.0.1:{free_port()}/0",
            state_down="allow",
        )
    )
    await services.admission_control.admit(services.keys.check(f"Bearer {key}")).reserve()
    file.write_text("keys = 7")
    services.keys.refresh()
    found = await samples(services.metrics)
    name = "openfaze_engine_failures_total"
    assert found[name, ("counters", "store", "unreachable")] == 1
    assert found[name, ("keys", "file", "refused")] == 1
    await services.close()


async def test_what_is_kept_for_clients_counts_where_it_is_not_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services(Settings(_env_file=None, files_dir=str(tmp_path / "files")))

    def full(name: str) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(services.files.storage, "create", full)
    with pytest.raises(Unavailable):
        async with services.files.writing("me"):
            raise AssertionError("it has begun")
    for file in files_in(tmp_path / "state"):
        file.unlink()
    (tmp_path / "state" / "state.sqlite").mkdir()
    for call in (
        services.responses.get("me", "resp_1"),
        services.responses.delete("me", "resp_1"),
        services.responses.put("me", "resp_1", empty_response),
    ):
        with pytest.raises(StoreDown):
            await call
    found = await samples(services.metrics)
    assert found["openfaze_engine_failures_total", ("files", "storage", "failed")] == 1
    assert found["openfaze_engine_failures_total", ("responses", "store", "unreachable")] == 3
    await services.close()


async def test_a_worker_that_dies_is_counted_and_the_server_asks_for_its_restart() -> None:
    host = a_host()
    await host.load()
    # No engine can bring this about: only a mistake in the host itself.
    host._run = None  # type: ignore[assignment, method-assign]
    waiting = asyncio.create_task(host.run(1))
    while not host.counters.failures["worker"]:
        await asyncio.sleep(0)
    assert not host.healthy
    waiting.cancel()
    await asyncio.wait([waiting])


def test_memory_that_runs_out_is_told_apart_also_where_fewer_items_went_through() -> None:
    assert reason_of(MemoryError()) == "memory"
    assert reason_of(EngineTooSlow("toys", "It took long.")) == "slow"
    assert reason_of(KeyError("a secret")) == "error"


def expressions() -> dict[str, str]:
    """What the alerts and the dashboard ask Prometheus, by where they do."""
    rules = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())
    dashboard = json.loads((OBSERVABILITY / "grafana/dashboards/openfaze.json").read_text())
    asked = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    for panel in dashboard["panels"]:
        asked |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return asked


@each_case("place, expression", expressions().items())
def test_alerts_and_dashboard_ask_for_metrics_and_labels_that_there_are(place: str, expression: str) -> None:
    names = re.findall(r"\b(openfaze_\w+)", expression)
    kinds = {name: DECLARED[re.sub(r"_(bucket|sum|count)$", "", name)] for name in names}
    assert all((one.kind == "histogram") == name.endswith(("_bucket", "_sum", "_count")) for name, one in kinds.items())
    known = {label for one in kinds.values() for label in one.labels} | {"le", "job"}
    used = [label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")]
    assert {*used, *re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)} <= known
    assert names or place in ("OpenfazeDown", "Memory of the server A")


def test_prometheus_takes_the_alerts_and_what_the_dashboard_asks(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    asked = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions().values())
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}))
    for command in (
        ["check", "rules", OBSERVABILITY / "alerts.yml", tmp_path / "panels.yml"],
        ["check", "config", "--syntax-only", OBSERVABILITY / "prometheus.yml"],
    ):
        checked = subprocess.run([promtool, *command], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr


def test_a_distribution_counts_each_value_up_to_its_bound() -> None:
    seen = Distribution((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        seen.add(value)
    assert (seen.counts, seen.sum, seen.count) == ([2, 1, 1], 12.0, 4)
    assert ((seen + seen).counts, (seen + seen).sum) == ([4, 2, 2], 24.0)


def test_an_answer_counts_what_it_fails_with_and_not_that_its_caller_left() -> None:
    counters = EngineCounters()
    with pytest.raises(EngineFailed), counters.answering():
        raise EngineFailed("toy")
    with pytest.raises(asyncio.CancelledError), counters.answering():
        raise asyncio.CancelledError
    assert (counters.failures, counters.seconds.count) == ({"failed": 1}, 2)
    assert len(counters.seconds.counts) == len(SECONDS) + 1


def test_a_slash_at_the_end_is_left_out_only_where_a_route_lacks_it() -> None:
    async def answer(_: Request) -> Response:
        return Response()

    routes = Routes([Route("/models", answer), Route("/models/{name}", answer), Route("/pages/{name:path}", answer)])
    for path, known in (
        ("/models/", "/models"),
        ("/models/a/", "/models/a"),
        ("/pages/a/", "/pages/a/"),
        ("/models//", "/models//"),
        ("/none/", "/none/"),
        ("/", "/"),
    ):
        assert routes.without_slash(path) == known


def test_stages_add_up_and_keep_their_order() -> None:
    stages = Stages()
    for stage in ("read", "task", "read"):
        stages.done(stage)
    assert list(stages.milliseconds) == ["read", "task"]
    assert stages.header.startswith("read;dur=")
