"""Which runtimes can use a card, what is said where one cannot, and what each capability is told to compute on."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from app.assembly import services as composition
from app.assembly.building import build_config
from app.assembly.services import Services
from app.assembly.unused_card import machine_has_card
from app.settings import Settings
from models.base import EngineSpec, EngineUnavailable
from models.capability import BadResult, Built, Candidate, EngineConfig
from models.catalog import CATALOG
from models.devices import device
from models.devices.cards import CannotUse
from models.devices.cuda_libraries import load_cuda_libraries
from models.devices.device import CTRANSLATE2, DRIVER, ONNXRUNTIME, Backend
from models.devices.onnx_sessions import onnx_session
from models.hosts.host import EngineHost
from models.runtime import Runtime
from models.vision.ocr.capability import embedded_weights
from tests.unit.models.test_runtime import Echo

_, RECOGNIZER = embedded_weights()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """One card, as the driver says; the runtimes are the real ones, and asked anew."""
    monkeypatch.setattr(DRIVER, "_probe_result", (1, ""))
    for backend in (ONNXRUNTIME, CTRANSLATE2):
        monkeypatch.setattr(backend, "_probe_result", None)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "DRIVERS", ("libnowhere.so.1",))
    for backend in (DRIVER, ONNXRUNTIME, CTRANSLATE2):
        monkeypatch.setattr(backend, "_probe_result", None)


def test_nothing_is_imported_to_find_out_that_there_is_no_card() -> None:
    code = """
import sys
from models.devices import device
device.DRIVERS = ("libnowhere.so.1",)
found = [one.resolve("auto") for one in (device.ONNXRUNTIME, device.CTRANSLATE2, device.TORCH, device.PADDLE)]
assert found == ["cpu"] * 4, found
print({"onnxruntime", "ctranslate2", "torch", "paddle", "numpy"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_runtime_is_asked_once_and_counts_cards() -> None:
    asked: list[int] = []

    def probe() -> int:
        asked.append(1)
        return 2

    backend = Backend("a runtime", probe)
    backend_without = Backend("a runtime", probe)
    for name in ("auto", "cpu"):
        assert backend.obstacle(name) is None
    assert not asked
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DRIVER, "_probe_result", (2, ""))
        assert backend.obstacle("cuda") is backend.obstacle("cuda:1") is None
        assert backend.resolve("auto") == "cuda"
        assert "finds 2 NVIDIA cards" in (backend.obstacle("cuda:2") or "")
        patched.setattr(DRIVER, "_probe_result", (0, "No card."))
        assert backend_without.obstacle("cuda") == "No card."
        assert backend_without.resolve("auto") == "cpu"
    assert len(asked) == 1


@pytest.mark.usefixtures("no_card")
def test_without_a_driver_what_was_asked_for_is_refused() -> None:
    with pytest.raises(EngineUnavailable, match="no NVIDIA driver") as failure:
        onnx_session(RECOGNIZER, "ocr", device="cuda")
    assert failure.value.capability == "ocr"
    assert ONNXRUNTIME.check("auto", "ocr") == ONNXRUNTIME.check("cpu", "ocr") == "cpu"


@pytest.mark.usefixtures("card")
def test_runtimes_for_the_cpu_say_what_would_bring_the_others() -> None:
    import ctranslate2
    import onnxruntime

    if ctranslate2.get_cuda_device_count() or "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is a card, or the runtimes for one")
    assert "`openfaze install cuda`" in (ONNXRUNTIME.obstacle("cuda") or "")
    assert "CTranslate2 finds no card" in (CTRANSLATE2.obstacle("cuda") or "")
    assert ONNXRUNTIME.resolve("auto") == "cpu"


@pytest.mark.usefixtures("card")
def test_a_session_that_falls_back_to_the_cpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime may use a card")
    monkeypatch.setattr(ONNXRUNTIME, "_probe_result", (1, ""))
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(EngineUnavailable, match="did not open"),
    ):
        onnx_session(RECOGNIZER, "ocr", device="cuda")


def test_cudas_libraries_are_found_where_packages_put_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_spec("ctranslate2")
    assert spec is not None
    assert spec.origin is not None
    [library] = (Path(spec.origin).parents[1] / "ctranslate2.libs").glob("libgomp*")
    (tmp_path / "brings").mkdir()
    (tmp_path / "brings.libs").mkdir()
    named = b"\0libcublas.so.97\0libcudnn.so.98\0libother.so.1\0"
    (tmp_path / "brings.libs" / "libbrings-1.so.4").write_bytes(named)
    for folder in ("cublas", "cudnn"):
        (tmp_path / "nvidia" / folder / "lib").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    assert load_cuda_libraries("brings") == ["libcublas.so.97", "libcudnn.so.98"]
    shutil.copy(library, tmp_path / "nvidia" / "cublas" / "lib" / "libcublas.so.97")
    assert load_cuda_libraries("brings") == ["libcudnn.so.98"]
    shutil.copy(library, tmp_path / "nvidia" / "cudnn" / "lib" / "libcudnn.so.98")
    (tmp_path / "nvidia" / "cudnn" / "lib" / "libcudnn_ops.so.98").write_bytes(b"no library")
    assert load_cuda_libraries("brings") == ["libcudnn.so.98"]
    (tmp_path / "nvidia" / "cudnn" / "lib" / "libcudnn_ops.so.98").unlink()
    assert load_cuda_libraries("brings") == []


class Driver:
    """Stands in for CUDA's driver, with one card."""

    def cuInit(self, _: int) -> int:  # noqa: N802
        return 0

    def cuDeviceGet(self, number: Any, index: int) -> int:  # noqa: N802
        number._obj.value = 7
        return 101 if index else 0

    def cuDeviceTotalMem_v2(self, size: Any, number: Any) -> int:  # noqa: N802
        size._obj.value = number.value * 1000
        return 0


def test_the_memory_of_a_card_is_that_of_the_card_as_cuda_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "open_library", lambda _: Driver())
    assert device.card_bytes("cuda") == device.card_bytes("cuda:0") == 7000
    assert device.card_bytes("cuda:1") is None
    assert device.card_bytes("cpu") is None
    monkeypatch.setattr(device, "open_library", lambda _: None)
    assert device.card_bytes("cuda") is None


def failing() -> int:
    raise CannotUse("It has no CUDA. Run `openfaze install cuda`.")


def engine(name: str, told: Callable[[str], object], backend: Backend | None) -> Candidate:
    spec = EngineSpec(name, "ocr", "MIT", "none")

    def build(config: EngineConfig) -> Built:
        told(config.device)
        host = EngineHost(spec, Echo)
        return Built(host, (host,))

    return Candidate(spec, lambda _: None, build, backend=backend)


def runtime(config: EngineConfig, *engines: Candidate) -> Runtime:
    return Runtime({"ocr": replace(CATALOG["ocr"], engines=engines)}, config)


@pytest.mark.usefixtures("card")
def test_the_cpu_does_not_stand_in_for_a_card_that_was_named() -> None:
    engines = (engine("net", print, Backend("net's runtime", failing)),)
    refused = runtime(EngineConfig(device="cuda"), *engines)
    with pytest.raises(EngineUnavailable, match=r"OPENFAZE_DEVICE=cuda\), but cannot\. It has no CUDA.*install cuda"):
        refused.choose("ocr")
    [said] = refused.off_the_card()
    assert "'net' should run on a card" in said
    by_its_own = EngineConfig(devices={"ocr": "cuda:0"})
    with pytest.raises(EngineUnavailable, match=r"OPENFAZE_DEVICE=ocr=cuda:0\)"):
        runtime(by_its_own, *engines).choose("ocr")
    assert runtime(EngineConfig(device="cuda", devices={"ocr": "cpu"}), *engines).choose("ocr") is engines[0]


@pytest.mark.usefixtures("card")
def test_what_computes_on_the_cpu_beside_a_card_is_said() -> None:
    broken, optional = Backend("a", failing), Backend("b", failing, required=False)
    assert list(runtime(EngineConfig(), engine("net", print, broken)).off_the_card()) == [
        "'net' computes 'ocr' on the CPU. It has no CUDA. Run `openfaze install cuda`."
    ]
    [said] = runtime(EngineConfig(device="cuda"), engine("llm", print, optional)).off_the_card()
    assert said.startswith("'llm' computes 'ocr' on the CPU.")
    assert not list(runtime(EngineConfig(), engine("net", print, None)).off_the_card())
    assert not list(runtime(EngineConfig(device="cpu"), engine("net", print, broken)).off_the_card())


async def test_each_capability_is_told_its_own_device() -> None:
    told: list[object] = []
    engines = runtime(EngineConfig(device="cpu", devices={"ocr": "cuda:1"}), engine("net", told.append, None))
    engines.use(CATALOG["ocr"])
    await engines.close()
    assert told == ["cuda:1"]


def test_one_setting_names_the_devices_of_all_capabilities() -> None:
    config = build_config(Settings(_env_file=None, device="cpu, ocr=cuda:1"))
    assert config.narrowed("ocr").device == "cuda:1"
    assert config.narrowed("translate").device == "cpu"


@pytest.mark.parametrize("value", ["gpu", "cuda:", "cuda:x", "CPU", "cuda: 1"])
def test_a_device_that_there_is_not_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="there is no device"):
        Settings(_env_file=None, device=value)
    with pytest.raises(ValidationError, match="there is no device"):
        Settings(_env_file=None, device=f"cpu,ocr={value}")


def test_a_device_of_a_capability_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no capability 'orc'"):
        Settings(_env_file=None, device="orc=cpu")


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("device", ["cuda", "ocr=cuda"])
def test_a_server_that_was_to_use_a_card_does_not_start_without_one(device: str) -> None:
    with pytest.raises(
        ValueError, match=f"OPENFAZE_DEVICE={device} names a card that this machine does not have. .*nvidia-smi"
    ):
        Services(Settings(_env_file=None, device=device))


@pytest.mark.usefixtures("card")
async def test_the_server_says_at_its_start_what_does_not_use_the_card() -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime may use a card")
    services = Services(Settings(_env_file=None))
    with structlog.testing.capture_logs() as logs:
        await services.report_devices()
    await services.close()
    said = [str(one["reason"]) for one in logs if one["event"] == "not_on_the_card"]
    assert [one for one in said if "computes 'ocr' on the CPU. This onnxruntime was built for the CPU alone" in one]


@pytest.mark.parametrize(
    ("has_card", "device", "events"),
    [(True, "auto", ["card_not_seen"]), (True, "cpu", []), (False, "auto", [])],
)
async def test_a_card_of_the_machine_that_the_server_does_not_see_is_named_once_with_the_remedy(
    has_card: bool, device: str, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DRIVER, "_probe_result", (0, "No card."))
    monkeypatch.setattr("app.assembly.services.machine_has_card", lambda: has_card)
    services = Services(Settings(_env_file=None, device=device))
    with structlog.testing.capture_logs() as logs:
        await services.report_devices()
    await services.close()
    found = [one for one in logs if one["event"] in ("card_not_seen", "not_on_the_card")]
    assert [one["event"] for one in found] == events
    assert all("docker/detect" in one["remedy"] for one in found)


@pytest.mark.parametrize(
    ("files", "has_card"),
    [
        ({}, False),
        ({"proc/driver/nvidia/version": "NVRM version"}, True),
        ({"sys/bus/pci/devices/0/vendor": "0x10de\n", "sys/bus/pci/devices/0/class": "0x030200\n"}, True),
        ({"sys/bus/pci/devices/0/vendor": "0x10de\n", "sys/bus/pci/devices/0/class": "0x040300\n"}, False),
        ({"sys/bus/pci/devices/0/vendor": "0x1002\n", "sys/bus/pci/devices/0/class": "0x030000\n"}, False),
        ({"sys/bus/pci/devices/0/vendor": "0x10de\n"}, False),
    ],
)
def test_a_card_of_the_machine_is_known_by_its_driver_or_on_the_bus(
    files: dict[str, str], has_card: bool, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert machine_has_card(tmp_path) == has_card


@pytest.mark.parametrize(("cards", "profile"), [(0, "standard"), (1, "gpu")])
def test_the_profile_is_the_best_that_the_machine_can_run(
    cards: int, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DRIVER, "_probe_result", (cards, "" if cards else "No card."))
    assert build_config(Settings(_env_file=None)).profile == profile
    assert build_config(Settings(_env_file=None, profile="embedded")).profile == "embedded"


def test_a_profile_that_there_is_not_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_PROFILE", "huge")
    with pytest.raises(ValidationError, match="no profile 'huge'; choose from: embedded, standard, gpu"):
        Settings(_env_file=None)


@pytest.mark.usefixtures("card")
def test_a_capability_of_several_engines_on_the_card_is_named_once() -> None:
    able = Backend("a", lambda: 1)
    both = replace(CATALOG["ocr"], engines=(engine("one", print, able), engine("two", print, able)), several=True)
    assert list(Runtime({"ocr": both}, EngineConfig()).on_the_card()) == ["ocr"]


@pytest.mark.usefixtures("card")
async def test_the_profile_of_a_card_loads_what_runs_there_and_is_ready_without_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = Services(Settings(_env_file=None, profile="gpu"))
    assert not services.ready
    loaded: list[str] = []

    async def load(capability: str) -> None:
        loaded.append(capability)
        raise EngineUnavailable(capability, "Its file is damaged.")

    monkeypatch.setattr(services.runtime, "load", load)
    monkeypatch.setattr(ONNXRUNTIME, "_probe_result", (1, ""))
    await services.preload()
    await services.close()
    assert "ocr" in loaded
    assert "speech_to_text" not in loaded  # its runtime is the one for the CPU
    assert services.ready


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("failure", [None, BadResult("It read 'It wroks!'."), EngineUnavailable("ocr", "It is gone.")])
async def test_what_the_profile_of_a_card_loads_has_worked_once_before_the_server_is_ready(
    failure: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ONNXRUNTIME, "_probe_result", (1, ""))
    services = Services(Settings(_env_file=None, profile="gpu"))
    done: list[tuple[str, bool]] = []

    async def load(capability: str) -> None:
        done.append((f"loads {capability}", services.ready))

    async def try_out(engines: object) -> str:
        assert engines is services.runtime
        done.append(("tries", services.ready))
        if failure is not None:
            raise failure
        return "works"

    monkeypatch.setattr(services.runtime, "load", load)
    for name, capability in CATALOG.items():
        monkeypatch.setitem(composition.CATALOG, name, replace(capability, self_test=try_out))  # type: ignore[call-overload]
    with structlog.testing.capture_logs() as logs:
        await services.preload()
    await services.close()
    assert services.ready
    assert done[:2] == [("loads ocr", False), ("tries", False)]
    assert [is_ready for _, is_ready in done] == [False] * len(done)
    said = [one["error"] for one in logs if one["event"] == "preload_failed" and one["capability"] == "ocr"]
    assert said == ([str(failure)] if failure else [])


async def test_what_is_named_to_be_loaded_is_loaded_and_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the operator's own need not read what the self-test asks of it."""
    services = Services(Settings(_env_file=None, preload=("ocr",)))

    async def refuse(_: object) -> str:
        raise BadResult("It read something else.")

    monkeypatch.setitem(composition.CATALOG, "ocr", replace(CATALOG["ocr"], self_test=refuse))  # type: ignore[call-overload]
    await services.preload()
    await services.close()
    assert services.ready


async def test_no_profile_loads_anything_unless_it_is_named() -> None:
    services = Services(Settings(_env_file=None))
    assert services.ready
    await services.close()
