"""The table docker/cards.toml, what docker/detect makes of it for a card, and what a machine with a card shows."""

import re
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

TABLE: Mapping[str, Any] = tomllib.loads((ROOT / "docker/cards.toml").read_text())
SIZES = tuple(int(size) for size in TABLE["card"])
"""Sizes of cards, in gigabytes."""
WITH_LLM = tuple(size for size in SIZES if "model" in TABLE["card"][str(size)])
"""Sizes of cards that have room for an LLM."""
WITH_GUARD = tuple(size for size in SIZES if "guard_share" in TABLE["card"][str(size)])
"""Sizes of cards that have room for an LLM and a model that judges texts."""
AMPERE, HOPPER = "8.0", "9.0"
TOOLKIT = " Runtimes: io.containerd.runc.v2 nvidia runc\n Kernel Version: 6.8.0-1013-nvidia"
"""What `docker info` says where containers may have cards."""


class Machine:
    """A clone and the programs of a machine, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "openfaze"
        self.root = folder / "root"
        self._programs = folder / "programs"
        for made in (self.folder / "docker", self.root, self._programs):
            made.mkdir(parents=True)
        for name in ("detect", "cards.toml"):
            shutil.copy(ROOT / "docker" / name, self.folder / "docker")
        for name in ("awk", "cat", "dirname", "grep", "head", "rm", "sed", "sort", "tail", "tr", "wc"):
            (self._programs / name).symlink_to(shutil.which(name) or name)
        self.environment: dict[str, str] = {}

    def add_program(self, name: str, script: str) -> None:
        program = self._programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def add_cards(self, *cards: str, parts: str = "") -> None:
        """Add a driver with these cards, each a line of `nvidia-smi --query-gpu`: its number, MiB, driver, mode of MIG,
        name, and compute capability."""
        listed = "\n".join(cards)
        self.add_program("nvidia-smi", f'case $1 in -L) echo "{parts}" ;; *) echo "{listed}" ;; esac')

    def add_docker(self, info: str = TOOLKIT) -> None:
        self.add_program("docker", f'echo "{info}"')

    def detect(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self._programs), "DETECT_ROOT": str(self.root), **self.environment}
        done = subprocess.run(
            ["/bin/sh", self.folder / "docker/detect"], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, done.stderr
        return done

    def settings(self) -> dict[str, str]:
        """Return the variables in .env."""
        lines = (self.folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def settings_of(size: int, capability: str = HOPPER) -> dict[str, str]:
    """Return what docker/detect writes into .env for a card of so many gigabytes."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        mebibytes = int(TABLE["card"][str(size)]["gib"] * 1024)
        machine.add_cards(f"0, {mebibytes}, 580.65.06, [N/A], A card, {capability}")
        machine.add_docker()
        machine.detect()
        return machine.settings()


def arguments_of(size: int, capability: str = HOPPER, *, service: str = "vllm") -> list[str]:
    """Return the arguments with which the LLM's vLLM, or that of the `guard`, is started if VLLM_ARGS adds nothing."""
    file = {"vllm": "docker/llm.yml", "guard": "docker/guard.yml"}[service]
    command: str = yaml.safe_load((ROOT / file).read_text())["services"][service]["command"]
    settings = settings_of(size, capability)
    return shlex.split(re.sub(r"\$\{(\w+):[^}]*\}", lambda found: settings.get(found[1], ""), command))


def options_of(arguments: Sequence[str]) -> dict[str, str]:
    """Return arguments by their names without dashes. The value of a flag is empty."""
    options: dict[str, str] = {}
    name = ""
    for word in arguments:
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = ""
        else:
            options[name] = word
    return options
