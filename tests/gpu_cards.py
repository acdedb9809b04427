"""Options in docker/cards for each size of a card."""

import shlex
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "docker/cards"
SIZES = (16, 24, 48, 80)
"""Sizes of cards, in gigabytes."""


def services_of(size: int) -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((FOLDER / f"{size}gb.yml").read_text())["services"]
    return services


def arguments_of(size: int) -> list[str]:
    """Return the arguments with which vLLM is started if VLLM_ARGS adds nothing."""
    return shlex.split(services_of(size)["vllm"]["command"].replace("${VLLM_ARGS:-}", ""))


def options_of(size: int) -> dict[str, str]:
    """Return the arguments by their names without dashes. The value of a flag is empty."""
    options: dict[str, str] = {}
    name = ""
    for word in arguments_of(size):
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = ""
        else:
            options[name] = word
    return options
