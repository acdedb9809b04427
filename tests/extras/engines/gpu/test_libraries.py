"""What the GPU image installs loads without a GPU, and CUDA's libraries find each other: `make extra-gpu`."""

import importlib
import subprocess
import sys
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("nvidia.cudnn") is None, reason="needs the packages of requirements/gpu.txt"
)
NAMES = {str(one.metadata["Name"]) for one in distributions()}


@pytest.mark.parametrize(
    "name",
    ["chronos", "ctranslate2", "cv2", "faster_whisper", "onnxruntime", "openvino", "rapidocr", "torch", "transformers"],
)
def test_it_is_imported_where_there_is_no_card(name: str) -> None:
    # Each by itself: what comes first loads libraries for the others.
    subprocess.run([sys.executable, "-c", f"import {name}"], check=True, timeout=250)


def test_one_onnxruntime_is_there_and_it_knows_cuda() -> None:
    assert "onnxruntime-gpu" in NAMES
    assert "onnxruntime" not in NAMES
    assert "CUDAExecutionProvider" in importlib.import_module("onnxruntime").get_available_providers()


def test_pytorch_ctranslate2_and_onnxruntime_are_of_one_cuda() -> None:
    libraries = {name for name in NAMES if name.startswith("nvidia-")}
    assert {"nvidia-cublas-cu12", "nvidia-cudnn-cu12"} <= libraries
    assert all(name.endswith("-cu12") for name in libraries)
    assert importlib.import_module("torch").version.cuda.startswith("12.")


@pytest.mark.parametrize("name", ["ctranslate2", "onnxruntime"])
def test_a_runtime_finds_cudas_libraries_where_the_packages_have_them(name: str) -> None:
    tried = f"from models.devices.device import load_cuda_libraries; print(load_cuda_libraries({name!r}))"
    found = subprocess.run([sys.executable, "-c", tried], check=True, capture_output=True, text=True, timeout=100)
    assert found.stdout.strip() == "[]"


def test_all_that_onnxruntime_needs_on_a_card_is_there_but_the_driver() -> None:
    [place] = find_spec("onnxruntime").submodule_search_locations  # type: ignore[union-attr, misc]
    [packages] = find_spec("nvidia").submodule_search_locations  # type: ignore[union-attr, misc]
    # As the image tells the linker.
    folders = ":".join(str(folder) for folder in Path(packages).glob("*/lib"))
    listed = subprocess.run(
        ["ldd", "-r", f"{place}/capi/libonnxruntime_providers_cuda.so"],
        env={"LD_LIBRARY_PATH": folders, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert "libcublasLt.so.12 => " in listed.stdout
    assert "not found" not in listed.stdout
    undefined = [line for line in listed.stderr.splitlines() if "undefined symbol" in line]
    # onnxruntime itself brings this one.
    assert {line.split()[2] for line in undefined} <= {"Provider_GetHost"}
