"""The networks by which a card's values are compared with those of the CPU."""

from collections import Counter
from typing import Any

import ctranslate2
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from models.devices import device, onnx_sessions, probes
from models.devices.device import CTRANSLATE2, DRIVER, ONNXRUNTIME
from models.devices.probes import ONNX_NETWORK, WrongValues, check_ctranslate2, check_onnxruntime

ON_CPU = ["CPUExecutionProvider"]
OPERATORS = ["Conv", "Relu", "Slice", "Cast", "Cast", "Resize"]


def changed(operator: str) -> bytes:
    """Return the network with another operator in place of Relu, as if a kernel computed something else."""
    network = onnx.load_from_string(ONNX_NETWORK)
    network.graph.node[OPERATORS.index("Relu")].op_type = operator
    content: bytes = network.SerializeToString()
    return content


class Session(ort.InferenceSession):  # type: ignore[misc]
    """A session that says that it is on a card, and may compute another network there."""

    network = ONNX_NETWORK

    def __init__(self, _: bytes, *options: Any, providers: list[Any]) -> None:
        self.card = next((one for one in providers if "CUDAExecutionProvider" in one), None)
        super().__init__(self.network if self.card else ONNX_NETWORK, *options, providers=ON_CPU)

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", *ON_CPU] if self.card else ON_CPU


class Translator(ctranslate2.Translator):  # type: ignore[misc]
    """A translator whose card is the CPU."""

    def __init__(self, folder: str, **options: Any) -> None:
        if options["device"] == "cuda":
            options |= {"device": "cpu", "compute_type": "int8"}
        super().__init__(folder, **options)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that both libraries know, which the CPU stands in for."""
    monkeypatch.setattr(DRIVER, "_probe_result", (1, ""))
    monkeypatch.setattr(device, "_probe_driver", lambda: 1)
    monkeypatch.setattr(device, "load_cuda_libraries", lambda _: [])
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", *ON_CPU])
    monkeypatch.setattr(ort, "InferenceSession", Session)
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(ctranslate2, "Translator", Translator)
    for backend in (ONNXRUNTIME, CTRANSLATE2):
        monkeypatch.setattr(backend, "_probe_result", None)


def test_the_network_has_the_operators_of_engines_and_each_has_a_part_in_its_values() -> None:
    network = onnx.load_from_string(ONNX_NETWORK)
    onnx.checker.check_model(network, full_check=True)
    assert [node.op_type for node in network.graph.node] == OPERATORS
    check_onnxruntime(ort.InferenceSession(ONNX_NETWORK, providers=ON_CPU))
    for other in ("Abs", "Identity", "Neg"):
        with pytest.raises(WrongValues):
            check_onnxruntime(ort.InferenceSession(changed(other), providers=ON_CPU))


def test_what_is_not_a_number_is_wrong() -> None:
    with pytest.raises(WrongValues):
        check_onnxruntime(ort.InferenceSession(changed("Log"), providers=ON_CPU))


def test_the_translation_network_bears_rounding_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    check_ctranslate2("cpu", "float32")
    # Rounded far more coarsely than a card does.
    check_ctranslate2("cpu", "int8")
    translator, seeds = ctranslate2.Translator, iter((1, 2))

    def of_another_seed(folder: str, **options: Any) -> Any:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(probes, "_SEED", next(seeds))
            probes._save_translation_network(folder)
        return translator(folder, **options)

    monkeypatch.setattr(ctranslate2, "Translator", of_another_seed)
    with pytest.raises(WrongValues):
        check_ctranslate2("cpu", "float32")


@pytest.mark.usefixtures("card")
def test_a_card_that_computes_as_the_cpu_does_is_used() -> None:
    assert ONNXRUNTIME.obstacle("cuda") is None
    assert CTRANSLATE2.obstacle("cuda") is None


@pytest.mark.usefixtures("card")
def test_a_card_with_other_values_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "network", changed("Abs"))
    assert "wrong values on the card" in (ONNXRUNTIME.obstacle("cuda") or "")
    assert ONNXRUNTIME.resolve("auto") == "cpu"


def no_kernel(*_: object, **__: object) -> None:
    raise RuntimeError("CUDA error cudaErrorNoKernelImageForDevice:no kernel image is available for execution")


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("backend", "library", "call"), [(ONNXRUNTIME, Session, "run"), (CTRANSLATE2, Translator, "translate_batch")]
)
def test_a_card_without_kernels_is_not_used(
    backend: device.Backend, library: type, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, call, no_kernel)
    assert "no kernel image" in (backend.obstacle("cuda") or "")


def test_values_of_a_card_may_differ_by_rounding() -> None:
    theirs = np.array([0.0, 1.0, 100.0])
    probes._compare(theirs + np.array([0.01, 0.01, 1.0]), theirs)
    for wrong in ([0.1, 0, 0], [0, 0, 5.0], [np.nan, 0, 0]):
        with pytest.raises(WrongValues):
            probes._compare(theirs + np.array(wrong), theirs)


@pytest.mark.usefixtures("card")
def test_a_session_on_a_card_takes_no_more_than_its_part_and_says_which_nodes_are_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnx_sessions, "NODES_ON_CPU", {})
    session = onnx_sessions.onnx_session(b"", "ocr", device="cuda:0", card_mb=600)
    name, chosen = session.card
    assert name == "CUDAExecutionProvider"
    assert (chosen["device_id"], chosen["gpu_mem_limit"], chosen["cudnn_conv_use_max_workspace"]) == (0, 600_000_000, 0)
    # Here the CPU stands in for the card, so every node is on the CPU.
    assert onnx_sessions.NODES_ON_CPU["ocr"] == Counter(OPERATORS)
    onnx_sessions.onnx_session(b"", "ocr", device="cuda:0")
    assert onnx_sessions.NODES_ON_CPU["ocr"] == Counter(OPERATORS)
