"""The image with CUDA that docker/gpu.yml builds, without a card."""

import json
from pathlib import Path

import pytest

from tests.boxes.containers import podman
from tests.boxes.gpu import architectures
from tests.boxes.image import building

IMPORTS = """
import importlib, pkgutil
import models, tasks
for name in ("chronos", "ctranslate2", "cv2", "faster_whisper", "onnxruntime", "torch", "transformers", "xllamacpp"):
    importlib.import_module(name)
found = [one.name for one in pkgutil.walk_packages(models.__path__, "models.")]
for name in found:
    importlib.import_module(name)
print(len(found))
"""
OFF = ("code_sandbox", "search_provider", "browser")
"""What takes more of a container than this one has, or a network."""
CUFFTS_WRAPPER = "/libcufftw."
"""FFTW's interface to cuFFT, without kernels but for an empty one."""


@pytest.fixture(scope="module")
def image() -> str:
    return building.for_a_card()


def test_every_engine_can_be_imported(image: str) -> None:
    done = podman("run", "--rm", "--network=none", image, "python", "-W", "ignore", "-c", IMPORTS)
    assert int(done.stdout.splitlines()[-1]) > 100


def test_doctor_finds_nothing_broken_on_the_cpu(image: str) -> None:
    off = [f"--env=OPENFAZE_{name.upper()}=off" for name in OFF]
    done = podman("run", "--rm", "--network=none", *off, image, "openfaze", "doctor", "--json", check=False)
    report = json.loads(done.stdout)
    outcomes = {one["capability"]: (one["outcome"], one["said"]) for one in report["capabilities"]}
    assert done.returncode == 0, outcomes
    for name in ("ocr", "object_detection", "speech_to_text", "embedding", "text_guard", "diarization", "llm"):
        assert outcomes[name][0] == "ok", outcomes[name]


def test_every_library_runs_on_every_card(image: str) -> None:
    script = Path(architectures.__file__)
    command = ("python3", "/architectures.py", "/opt/openfaze")
    done = podman("run", "--rm", f"--volume={script}:/architectures.py:ro", image, *command)
    found = json.loads(done.stdout)
    for library, code in found.items():
        later = [card for card, how in code["cards"].items() if how == architectures.COMPILED]
        print(f"{library}: SASS {code['sass']}, PTX {code['ptx']}; compiled at first load on {later or 'no card'}")
    cannot = {
        library: [card for card, how in code["cards"].items() if how == architectures.NONE]
        for library, code in found.items()
    }
    mattering = ("onnxruntime/", "ctranslate2.libs/", "torch/lib/libtorch_cuda.so", "cublas/", "cudnn/")
    assert all(any(part in library for library in found) for part in mattering)
    assert {library for library, cards in cannot.items() if cards and CUFFTS_WRAPPER not in library} == set()
