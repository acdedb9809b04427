"""README.md and docs/: what a fence shows is executed elsewhere, or names what is there.

tests/e2e/test_docs.py executes what is marked so, tests/extras/integrations what needs a framework. A server, a card or
gigabytes are no test's to start: of such commands every subcommand, option, variable, target and file exists.
"""

import importlib.util
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from app.access.key_file import read_keys
from app.cli import KEY_VARIABLE
from app.cli.main import cli
from app.settings import PREFIX, Settings
from models.setting_types import PROFILES
from tests.kit.project.fences import ROOT, TEXTS, Fence, fences

FENCES = [fence for path in TEXTS for fence in fences(path)]
MARKS = {"run", "client", "integration", "output", "said"}
COMPOSE_FILES = {
    str(path.relative_to(ROOT)) for path in (ROOT / "docker-compose.yml", *(ROOT / "docker").glob("*.yml"))
}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ENVIRONMENTS = re.findall(r"^\w+ := (\.venv[\w-]*)$", MAKEFILE, re.MULTILINE)
TARGETS = {*re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE), *(f"{folder}/.ready" for folder in ENVIRONMENTS)}
VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields} | {KEY_VARIABLE}

_HEREDOC = re.compile(r"<<-?['\"]?(\w+)['\"]?([^\n]*)\n.*?\n\1$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_ASSIGNED = re.compile(r"(\w+)=(.*)", re.DOTALL)
_SEPARATORS = "();<>|&\n"


def check_shell(code: str, folder: Path) -> None:
    subprocess.run(["bash", "-n"], input=code, text=True, check=True, capture_output=True)
    for command in commands(code):
        check_command(command, folder)


def commands(code: str) -> Iterator[list[str]]:
    """Each simple command's words, with the variables before it."""
    code = _COMMENT.sub("", _HEREDOC.sub(r"\2", code)).replace("\\\n", " ")
    lexer = shlex.shlex(code, posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    is_file = False
    for word in [*lexer, "\n"]:
        if set(word) <= set(_SEPARATORS):
            is_file = bool(set(word) & set("<>"))
            if not is_file:
                if words:
                    yield words
                words = []
        elif is_file:
            is_file = False
        else:
            words.append(word)


def check_command(words: Sequence[str], folder: Path) -> None:
    left = list(words)
    while left and (left[0] in ("export", "time", "sudo", "while", "do", "done") or _ASSIGNED.fullmatch(left[0])):
        if assigned := _ASSIGNED.fullmatch(left.pop(0)):
            check_variable(*assigned.groups())
    if not left:
        return
    program, *arguments = left
    match program.rpartition("/")[2]:
        case "openfaze":
            check_openfaze(arguments, folder)
        case "make":
            assert set(arguments) <= TARGETS, f"make {arguments}"
        case "docker" if arguments[0] == "compose":
            named = {arguments[place + 1] for place, word in enumerate(arguments) if word == "-f"}
            assert named <= COMPOSE_FILES
        case "python" | "python3":
            assert importlib.util.find_spec(arguments[1]), arguments
        case "runuser" | "sh":
            check_shell(arguments[arguments.index("-c") + 1], folder)
        case "detect" | "run":
            assert (ROOT / program).is_file()


def check_variable(name: str, value: str) -> None:
    if name.startswith(PREFIX):
        assert name in VARIABLES, f"nothing reads {name}"
    if name == "COMPOSE_FILE":
        assert set(value.split(":")) <= COMPOSE_FILES
    if name == f"{PREFIX}PROFILE":
        assert value in PROFILES


def check_openfaze(arguments: Sequence[str], folder: Path) -> None:
    """As the command reads them: names, options, and values where these have a type."""
    command = typer.main.get_command(cli)
    left = list(arguments)
    if left[:1] == ["--env-file"]:
        del left[:2]
    while isinstance(command, TyperGroup):
        assert left, "openfaze: a subcommand is missing"
        assert left[0] in command.commands, f"openfaze: no command '{left[0]}'"
        command = command.commands[left.pop(0)]
    for name in left:
        if re.fullmatch(r"[\w-]+\.\w+", name):
            # A file of the reader's.
            (folder / name).touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command.make_context("openfaze", left)


def check_json(code: str, folder: Path) -> None:
    shown = json.loads(code.replace("{…}", "{}"))
    for server in shown.get("mcpServers", {}).values():
        if "command" in server:
            check_command([server["command"], *server["args"]], folder)


def check_toml(code: str, folder: Path) -> None:
    """A file of keys is read as the command reads it."""
    file = folder / "shown.toml"
    file.write_text(code)
    if "keys" in tomllib.loads(code):
        assert read_keys(file)


def check_yaml(code: str, folder: Path) -> None:
    assert yaml.safe_load(code)


def check_caddyfile(code: str, folder: Path) -> None:
    """It is a file that is in the repository, but for its comments."""
    kept = [path.read_text("utf-8").splitlines() for path in (ROOT / "deploy").glob("Caddyfile*")]
    assert code.splitlines() in [[line for line in lines if not line.startswith("#")] for lines in kept]


CHECKS: dict[str, Callable[[str, Path], None]] = {
    "sh": check_shell,
    "json": check_json,
    "toml": check_toml,
    "yaml": check_yaml,
    "caddyfile": check_caddyfile,
}
"""By the language of a fence that has no mark."""


def test_every_fence_has_a_mark_or_a_language_that_is_checked() -> None:
    opened = sum(len(re.findall(r"^ *(?:```|~~~)", path.read_text("utf-8"), re.MULTILINE)) for path in TEXTS)
    assert opened == 2 * len(FENCES)
    assert [fence.place for fence in FENCES if fence.how not in MARKS and fence.language not in CHECKS] == []


@pytest.mark.parametrize("fence", [one for one in FENCES if not one.how], ids=lambda fence: fence.place)
def test_what_a_fence_names_is_there(fence: Fence, tmp_path: Path) -> None:
    CHECKS[fence.language](fence.code, tmp_path)
