"""Python processes that are started: what they import, and what they inherit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.python_process import python_command, python_environment


def test_a_module_of_the_current_folder_takes_the_place_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "models", "sitecustomize", "this"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.setattr(sys, "path", ["", ".", *sys.path])
    done = subprocess.run(python_command("this"), env=python_environment(), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("The Zen of Python")


def test_it_inherits_what_operators_set_but_no_settings_and_nothing_that_is_pythons_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"HTTPS_PROXY": "http://proxy", "OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": "1", "TMPDIR": "/var/tmp"}
    dropped = ("OPENFAZE_API_KEYS", "PYTHONSTARTUP", "PYTHONINSPECT")
    for name, value in (kept | dict.fromkeys(dropped, "x")).items():
        monkeypatch.setenv(name, value)
    inherited = python_environment()
    assert kept.items() <= inherited.items()
    assert not inherited.keys() & {*dropped}


def test_no_library_comes_from_the_current_folder_once_opencv_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import_opencv = (
        "import cv2; from models.python_process import python_environment as e; print(e()['LD_LIBRARY_PATH'])"
    )
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    done = subprocess.run([sys.executable, "-c", import_opencv], capture_output=True, text=True, check=True)
    assert all(map(os.path.isabs, done.stdout.strip().split(os.pathsep)))
    for path, cleaned in (("/a:", "/a"), (":/a::b:/c", "/a:/c"), (":", ""), ("/a", "/a")):
        monkeypatch.setenv("LD_LIBRARY_PATH", path)
        assert python_environment()["LD_LIBRARY_PATH"] == os.environ["LD_LIBRARY_PATH"] == cleaned
