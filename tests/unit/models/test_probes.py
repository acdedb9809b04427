"""What becomes of a server whose engines' own code fails when it is asked whether they can run here."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
import structlog

from app.assembly import building
from app.cli import doctor
from app.cli.serving import announce
from app.main import create_app
from app.settings import Settings
from models.base import EngineSpec, EngineUnavailable
from models.capability import Built, Candidate, Capability, EngineConfig
from models.catalog import CATALOG
from models.devices.device import Backend
from models.hosts.host import EngineHost
from models.runtime import Runtime

ENGINES = [(name, one.spec.name) for name, capability in CATALOG.items() for one in capability.engines]


class Unforeseen(Exception):
    """Nobody expects it."""


def failing(_: object) -> NoReturn:
    raise Unforeseen("of a probe")


def catalog_where(*failed: tuple[str, str]) -> dict[str, Capability[Any]]:
    """The real one, but that the probes of `failed`, capabilities and engines, raise."""

    def replaced(name: str, engines: Sequence[Candidate]) -> list[Candidate]:
        return [replace(one, remedy=failing) if (name, one.spec.name) in failed else one for one in engines]

    return {name: replace(one, engines=replaced(name, one.engines)) for name, one in CATALOG.items()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    off = {"search_provider": ("off",), "browser": "off"}
    return Settings(_env_file=None, files_dir=str(tmp_path / "files"), weights_dir=str(tmp_path), **off)  # type: ignore[arg-type]


@pytest.fixture
def all_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "CATALOG", catalog_where(*ENGINES))


async def ready_and_log(settings: Settings) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the capabilities of /ready, and the capabilities and remedies that a server's start logs."""
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server") as client:
        ready = await client.get("/ready")
    with structlog.testing.capture_logs() as logs:
        announce(app.state.services, "http://127.0.0.1:1")
    await app.state.services.close()
    assert ready.status_code == 200
    told = [(entry["capability"], entry["remedy"]) for entry in logs if entry["event"] == "cannot_run"]
    return ready.json()["capabilities"], told


@pytest.mark.usefixtures("all_fail")
async def test_a_probe_that_raises_is_a_remedy_and_no_end(settings: Settings) -> None:
    capabilities, told = await ready_and_log(settings)
    for capability, engine in ENGINES:
        said = f"Whether '{engine}' can run here could not be determined: Unforeseen: of a probe."
        state = capabilities[capability]
        assert (state["state"], said in state["remedy"]) == ("unavailable", True), (capability, engine)
        assert (capability, said) in told


@pytest.mark.usefixtures("all_fail")
async def test_doctor_names_what_fails_and_ends_with_its_status(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.examine(settings) == 1
    text = " ".join(capsys.readouterr().out.split())
    for capability, engine in ENGINES:
        assert f"FAILED {capability}" in text
        assert f"Whether '{engine}' can run here could not be determined: Unforeseen: of a probe." in text


@pytest.mark.usefixtures("all_fail")
async def test_a_look_that_fails_in_the_same_way_is_logged_once(settings: Settings) -> None:
    with structlog.testing.capture_logs() as logs:
        engines = building.build_runtime(settings)
        for _ in range(3):
            await engines._refresh()
        await engines.close()
    assert sorted(one["engine"] for one in logs if one["event"] == "look_failed") == sorted(name for _, name in ENGINES)


def one_engine(build: Callable[[EngineConfig], Built]) -> Runtime:
    candidate = Candidate(EngineSpec("eyes", "ocr", "MIT", "none"), lambda _: None, build)
    return Runtime({"ocr": replace(CATALOG["ocr"], engines=(candidate,))}, EngineConfig())


def test_an_engine_that_cannot_be_put_together_is_unavailable() -> None:
    def build(_: EngineConfig) -> Built:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    engines = one_engine(build)
    with pytest.raises(EngineUnavailable, match=r"'eyes' did not load\. .*`apt-get install libgl1`"):
        engines.use(CATALOG["ocr"])


async def test_what_did_not_load_is_not_called_idle_until_it_does() -> None:
    class Moody:
        broken = True

        def load(self) -> None:
            if Moody.broken:
                raise OSError("libGL.so.1: cannot open shared object file: No such file or directory")

        def run(self, batch: Sequence[str]) -> Sequence[str]:
            return batch

        def close(self) -> None:
            pass

    host = EngineHost(EngineSpec("eyes", "ocr", "MIT", "none"), Moody)
    engines = one_engine(lambda _: Built(host, (host,)))
    assert engines.states()[0].public == {"state": "idle", "engine": "eyes"}
    with pytest.raises(EngineUnavailable):
        await engines.load("ocr")
    told = engines.states()[0].public
    assert told["state"] == "unavailable"
    assert "`apt-get install libgl1`" in str(told["remedy"])
    Moody.broken = False
    await engines.load("ocr")
    assert engines.states()[0].public == {"state": "loaded", "engine": "eyes"}
    await engines.close()


def test_a_runtime_that_fails_when_it_looks_for_cards_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.devices.device.DRIVER.obstacle", lambda device="cuda": None)
    said = "a runtime fails when it looks for cards (Unforeseen: of a probe)."
    assert Backend("a runtime", lambda: failing(None)).obstacle() == said


def test_a_python_without_a_library_of_its_own_needs_none_in_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's says that it is shared, is not, and its library is a package of its own."""
    from models.sandbox import interpreter

    variables = {"Py_ENABLE_SHARED": 1, "INSTSONAME": "libpython3.99.so.1.0", "LIBDIR": "/usr/lib/of-nobody"}
    monkeypatch.setattr(interpreter.sysconfig, "get_config_var", variables.get)
    assert not [bind for bind in interpreter.interpreter_binds() if "libpython" in bind.target]
