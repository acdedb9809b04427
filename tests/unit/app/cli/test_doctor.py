"""How `openfaze doctor` shows what it finds."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from app.assembly.building import build_config
from app.cli import doctor
from app.cli.doctor import Finding
from app.settings import Settings
from models.base import EngineSpec
from models.capability import Built, Candidate, Capability, EngineConfig
from models.catalog import CATALOG
from models.devices import cards
from models.devices.device import CPU, DRIVER, LLAMA_CPP, ONNXRUNTIME, Backend
from models.hosts.host import EngineHost
from models.hosts.workplace import CardMemory
from models.runtime import CapabilityState, Runtime

REMEDY = "Run `openfaze install gpu`, then put https://example.com/" + "weights/" * 20 + " (sha256 " + "0" * 64 + ")."
FOUND = [
    Finding("ocr", "ok", "pp-ocrv6-small", "MIT", "inside", "read 'x' " * 30, loaded_ms=2345, ran_ms=12),
    Finding("speech_to_text", "missing", "whisper-large-v3-turbo", "MIT", "elsewhere", said=REMEDY),
    Finding("browser", "off", said="OPENFAZE_BROWSER=off"),
]
BROKEN = Finding("llm", "failed", "x", said="It broke.")


def finds(monkeypatch: pytest.MonkeyPatch, *found: Finding) -> list[str]:
    """What is found instead of trying it; returns the names that are told while it is tried."""
    told: list[str] = []

    async def findings(_: Settings, trying: Callable[[str], None]) -> AsyncGenerator[Finding, None]:
        for finding in found:
            trying(finding.capability)
            told.append(finding.capability)
            yield finding

    monkeypatch.setattr(doctor, "_findings", findings)
    return told


async def examined(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[int, str]:
    status = await doctor.examine(Settings(_env_file=None), as_json=as_json)
    return status, capsys.readouterr().out


@pytest.mark.parametrize(("found", "status"), [(FOUND, 0), ([*FOUND, BROKEN], 1)])
async def test_programs_get_the_same_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, found: list[Finding], status: int
) -> None:
    finds(monkeypatch, *found)
    left, text = await examined(capsys, as_json=True)
    report = json.loads(text)
    assert (left, report["ok"]) == (status, status == 0)
    assert [(one["capability"], one["outcome"]) for one in report["capabilities"]] == [
        (finding.capability, finding.outcome) for finding in found
    ]
    assert report["capabilities"][1]["said"] == REMEDY


class Management:
    """Stands in for NVIDIA's library: two cards, of which a third is lost."""

    free = 20_000_000_000

    def __getattr__(self, _: str) -> Callable[..., int]:
        return lambda *_: 0

    def nvmlSystemGetDriverVersion(self, text: Any, _: int) -> int:  # noqa: N802
        text.value = b"580.95.05"
        return 0

    def nvmlSystemGetCudaDriverVersion_v2(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 13000
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 3
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: Any) -> int:  # noqa: N802
        handle._obj.value = index
        return 15 if index == 2 else 0  # the card has fallen off the bus

    def nvmlDeviceGetName(self, _: Any, text: Any, __: int) -> int:  # noqa: N802
        text.value = b"NVIDIA GeForce RTX 4090"
        return 0

    def nvmlDeviceGetMemoryInfo(self, _: Any, memory: Any) -> int:  # noqa: N802
        memory._obj.total, memory._obj.free = 25_757_220_864, self.free
        return 0


@pytest.fixture
def management(monkeypatch: pytest.MonkeyPatch) -> Management:
    library = Management()
    monkeypatch.setattr(cards, "open_nvml", lambda: library)
    return library


@pytest.mark.usefixtures("management")
async def test_a_summary_says_what_is_on_the_card_what_is_not_and_why_and_whether_the_llm_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [one for capability in CATALOG.values() for one in capability.engines[:1]]
    tried = [
        Finding(one.spec.capability, "ok", one.spec.name, said="worked", card_mb=700, card_estimate=one.card)
        for one in known
        if one.card is not None and one.spec.capability not in ("llm", "text_guard", "translate")
    ]
    away = (
        "The server at http://vllm:8000/v1 does not answer (connection refused). `docker compose logs vllm` says why."
    )
    finds(
        monkeypatch,
        Finding("cards", "missing", said="'apertium' computes 'translate' on the CPU. " + "It has no CUDA. " * 30),
        *tried,
        Finding("llm", "failed", "openai-server", said=away),
        Finding("text_guard", "missing", "guard", said="It has no weights.", card_estimate=CardMemory(1200, 450, 8)),
        Finding("translate", "ok", "madlad-400", said="'Guten Tag'", card_estimate=CardMemory(5900, 3300)),
        Finding("code_sandbox", "ok", "bubblewrap", said="42"),
    )
    settings = Settings(_env_file=None, llm_base_url="http://me:secret@vllm:8000/v1")  # type: ignore[call-arg]
    await doctor.examine(settings)
    text = capsys.readouterr().out
    screen = text[text.index("\ncuda:0, driver") + 1 :].splitlines()
    assert screen[:3] == [
        "cuda:0, driver 580.95.05",
        "    25,757 MB  in all, NVIDIA GeForce RTX 4090",
        "     5,757 MB  in use by others at the start (the LLM, a running openfaze)",
    ]
    assert "       700 MB  ocr (pp-ocrv6-medium), declared 1,500" in screen
    assert "    20,000 MB  free on cuda:0 with all of these loaded" in screen
    told = " ".join(screen)
    assert "not on a card: cards: 'apertium' computes 'translate' on the CPU. It has no CUDA." in told
    assert "not on a card: text_guard: It has no weights." in told
    assert "not on a card: translate: 'madlad-400' used no memory of a card: it ran on the CPU" in told
    assert "never on a card: code_sandbox" in told
    assert "LLM at http://" in told
    assert f"vllm:8000/v1 does not answer: {away}" in told
    assert "secret" not in text


async def first_finding(settings: Settings) -> Finding:
    async with aclosing(doctor._findings(settings, lambda _: None)) as findings:
        return await anext(findings)


@pytest.mark.deep
async def test_a_card_that_was_named_and_is_not_there_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DRIVER, "_probe_result", (0, "There is no NVIDIA driver."))
    assert await first_finding(Settings(_env_file=None, device="cuda")) == Finding(
        "cards", "failed", said="There is no NVIDIA driver."
    )
    assert (await first_finding(Settings(_env_file=None))).capability == "ocr"


async def test_engines_beside_the_card_are_told_and_fail_only_where_it_was_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DRIVER, "_probe_result", (1, ""))
    monkeypatch.setattr(ONNXRUNTIME, "_probe_result", (0, "It has no CUDA."))
    monkeypatch.setattr(LLAMA_CPP, "_probe_result", (0, "It knows the CPU only."))
    told = await first_finding(Settings(_env_file=None))
    assert (told.capability, told.outcome) == ("cards", "missing")
    assert "computes 'ocr' on the CPU. It has no CUDA." in told.said
    assert "'smollm2-135m' computes 'llm' on the CPU. It knows the CPU only." in told.said
    refused = await first_finding(Settings(_env_file=None, device="ocr=cuda"))
    assert refused.outcome == "failed"
    assert "(OPENFAZE_DEVICE=ocr=cuda)" in refused.said


async def test_what_an_engine_takes_of_the_card_is_measured(
    management: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Engines:
        async def load(self, _: str) -> None:
            management.free -= 700_000_000

        def on_the_card(self) -> list[str]:
            return []

    async def self_test(_: object) -> str:
        management.free -= 50_000_000
        return "read"

    state = CapabilityState("ocr", CATALOG["ocr"].engines[1], loaded=False, remedy=None)
    monkeypatch.setitem(CATALOG, "ocr", replace(CATALOG["ocr"], self_test=self_test))  # type: ignore[arg-type]
    monkeypatch.setattr(doctor, "NODES_ON_CPU", {"ocr": {"GridSample": 2}})
    found = await doctor._try(Settings(_env_file=None), Engines(), state, "auto")  # type: ignore[arg-type]
    assert (found.outcome, found.card_mb, found.nodes_on_cpu) == ("ok", 2 * 750, {"GridSample": 2})
    assert found.card_estimate == state.candidate.card  # type: ignore[union-attr]


class Said:
    """An engine that says something else on a card."""

    def __init__(self, said: str) -> None:
        self.said = said

    def load(self) -> None:
        pass

    def run(self, batch: Sequence[str]) -> Sequence[str]:
        return [self.said] * len(batch)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("on_card", "on_cpu", "agree"),
    [
        ("found a stop sign (0.93)", "found a stop sign (0.91)", True),
        ("found a stop sign (0.93)", "found a stop sign (0.41)", False),
        ("'The house is red.' is 'La casa es roja.'", "'The house is red.' is 'La casa es de color rojo.'", True),
        ("'Hello' is '<unk><unk><unk><unk><unk><unk><unk>'", "'Hello' is 'Guten Tag'", False),
        ("'one' is judged 0.1", "'one' is judged 0.1 and 0.2", True),
    ],
)
async def test_an_engine_on_a_card_is_compared_with_the_cpu(
    on_card: str, on_cpu: str, agree: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DRIVER, "_probe_result", (1, ""))
    spec = EngineSpec("sayer", "ocr", "MIT", "none")
    backend = Backend("toys", lambda: 1)

    def build(config: EngineConfig) -> Built:
        host = EngineHost[str, str](spec, lambda: Said(on_cpu if config.device == CPU else on_card))
        return Built(host, [host])

    async def self_test(engines: Any) -> str:
        return str(await engines.use(CATALOG["ocr"]).run("x"))

    candidate = Candidate(spec, lambda _: None, build, backend=backend)
    other = Candidate(replace(spec, name="another"), lambda _: None, build)
    monkeypatch.setitem(CATALOG, "ocr", Capability("ocr", [other, candidate], self_test))  # type: ignore[index]
    settings = Settings(_env_file=None)
    runtime = Runtime(CATALOG, build_config(settings), {"ocr": "sayer"})
    state = next(state for state in runtime.states() if state.capability == "ocr")
    found = await doctor._try(settings, runtime, state, "sayer")
    await runtime.close()
    assert found.outcome == ("ok" if agree else "failed")
    assert agree or (on_card in found.said and on_cpu in found.said)
