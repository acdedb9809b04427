"""Adapts the commands in error messages, so that they run on this machine when an operator pastes them."""

import json
import os
import re
import shutil
import sysconfig
from functools import lru_cache
from pathlib import Path

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAAAUAQAAAAAVDQaSAAAAZ0lEQVR42mP8zwABTAxEMv4zMDAw/WlgYGBg+IOQYv"
    "hl867w1TPr/0yMDi9q/zxPYGBhYGL42K+fAFUzv4GBiYGhjoGBeQEDEwPjXQaGhCMMLAwMHPwN938xMDEcYGBmkExgYCTCPQC1JhklfCU1zAAAAABJRU5ErkJggg=="
)
"""A small picture of the text `SAID`, as a data URL."""
SAID = "It works!"
BODY = {
    "model": "interfaze-beta",
    "messages": [
        {"role": "system", "content": "<task>ocr</task>"},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
    ],
}
_COMMAND = re.compile(r"`(openfaze|hf|apt-get install) ([^`]+)`")
_FOLDER = re.compile(r"(?:^|[\s'=])(?:/|\w:\\)")


def as_curl(base_url: str, *, keyed: bool) -> str:
    """Return a request as a command for a shell. If `keyed`, the command sends the key in OPENFAZE_API_KEY."""
    key = ' -H "Authorization: Bearer $OPENFAZE_API_KEY"' if keyed else ""
    return f"curl -s {base_url}/v1/chat/completions{key} -H 'Content-Type: application/json' -d '{json.dumps(BODY)}'"


def is_in_container() -> bool:
    """True if this process runs in a container of this project's image."""
    return os.environ.get("container") == "openfaze"  # noqa: SIM112 - this variable is conventionally in lower case


def adapt_commands(text: str) -> str:
    """Return `text` for the operator, with each command in backticks adapted to this machine."""
    return _COMMAND.sub(lambda found: f"`{_adapted(found[1], found[2])}`", text)


def adapt_for_client(text: str) -> str:
    """Return `text` for a client, who may be the operator, with each command in backticks adapted to the server's
    working folder.

    A command that would reveal another folder of the server keeps its short form.
    """

    def called(found: re.Match[str]) -> str:
        command = _adapted(found[1], found[2])
        return found[0] if _FOLDER.search(command) else f"`{command}`"

    return _COMMAND.sub(called, text)


def _adapted(program: str, arguments: str) -> str:
    if is_in_container():
        return _host_command(program, arguments)
    if program == "apt-get install":
        return f"{program} {arguments}"
    return f"{_name_or_path(program, sysconfig.get_path('scripts'), os.environ.get('PATH'), os.getcwd())} {arguments}"


@lru_cache(maxsize=64)
def _name_or_path(program: str, scripts: str, path: str | None, folder: str) -> str:
    """Return the name or path by which `program` is called in `folder`.

    The result is cached, because it is part of every error with a remedy and of every answer of `/ready`.
    """
    ours = Path(scripts) / program
    found = shutil.which(program, path=path)
    if not ours.exists() or (found is not None and Path(found).samefile(ours)):
        return program
    # Remedies with `hf` run in the folder of the weights, so its path must be absolute.
    is_in_folder = program == "openfaze" and ours.is_relative_to(folder)
    return os.path.relpath(ours, folder) if is_in_folder else str(ours)


def _host_command(program: str, arguments: str) -> str:
    """Return a command for the machine that runs the container.

    Packages become part of the image. Any other command runs in a separate container, even if the server is down.
    """
    if program == "apt-get install":
        return f"APT_PACKAGES='{arguments}' docker compose up -d --build"
    if arguments.startswith("install "):
        return f"EXTRAS='{arguments.removeprefix('install ')}' docker compose up -d --build"
    folder = f"--workdir {os.environ.get('OPENFAZE_WEIGHTS_DIR', '.')} " if program == "hf" else ""
    return f"docker compose run --rm {folder}openfaze {program} {arguments}"
