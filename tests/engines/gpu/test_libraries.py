"""What the GPU image installs loads without a GPU, and CUDA's libraries find each other: `make test-gpu`."""

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


FOUND = """
import ctypes
from models.speech.whisper_files import preload_cuda
preload_cuda()
# What CTranslate2 asks the linker for when it first computes on a card.
for name in ("libcublas.so.12", "libcublasLt.so.12", "libcudnn.so.9"):
    ctypes.CDLL(name)
import ctranslate2
print(ctranslate2.get_cuda_device_count())
"""


def test_ctranslate2_finds_cublas_and_cudnn_where_the_packages_have_them() -> None:
    found = subprocess.run([sys.executable, "-c", FOUND], check=True, capture_output=True, text=True, timeout=100)
    assert int(found.stdout) >= 0


def test_all_that_onnxruntime_needs_on_a_card_is_there_but_the_driver() -> None:
    [place] = find_spec("onnxruntime").submodule_search_locations  # type: ignore[union-attr, misc]
    [packages] = find_spec("nvidia").submodule_search_locations  # type: ignore[union-attr, misc]
    # As the image tells the linker.
    folders = ":".join(str(folder) for folder in Path(packages).glob("*/lib"))
    listed = subprocess.run(
        ["ldd", "-r", f"{place}/capi/libonnxruntime_providers_cuda.so"],  # noqa: S607
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
