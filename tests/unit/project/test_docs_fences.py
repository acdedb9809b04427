"""README.md and docs/: what a fence shows is executed, compared or, here, checked.

tests/e2e/test_docs.py executes what is marked so, tests/extras/integrations what needs a framework. A server, a card or
gigabytes are no test's to start: of such commands every program, subcommand, option, variable, target and file exists.
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
from models.catalog import CATALOG
from models.setting_types import PROFILES
from tests.kit.project.fences import ROOT, TEXTS, Fence, fences

FENCES = [fence for path in TEXTS for fence in fences(path)]
EXECUTED = {("sh", "run"), ("python", "run"), ("python", "client")}
_INTEGRATIONS = ("docs/integrations.md", "docs/migrate.md")
ELSEWHERE = {
    ("python", "integration"): _INTEGRATIONS,
    ("js", "integration"): _INTEGRATIONS,
    ("sh", "integration"): ("docs/integrations.md",),
    ("text", "said"): ("docs/troubleshooting.md",),
}
"""What only the tests of some pages execute, and what a server says in words, which no test compares."""

COMPOSE_FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "docker").glob("*.yml"))]
COMPOSED = [yaml.safe_load(path.read_text("utf-8")).get("services", {}) for path in COMPOSE_FILES]
SERVICES = {name for services in COMPOSED for name in services}
COMPOSE_PROFILES = {name for services in COMPOSED for one in services.values() for name in one.get("profiles", ())}
COMPOSE_VARIABLES = {name for path in COMPOSE_FILES for name in re.findall(r"\$\{(\w+)", path.read_text("utf-8"))}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ENVIRONMENTS = re.findall(r"^\w+ := (\.venv[\w-]*)$", MAKEFILE, re.MULTILINE)
TARGETS = {*re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE), *(f"{folder}/.ready" for folder in ENVIRONMENTS)}
VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields} | {KEY_VARIABLE}
OTHERS_VARIABLES = {"COMPOSE_FILE", "RAY_USAGE_STATS_ENABLED", "RAY_AUTH_MODE", "RAY_worker_niceness"}
OTHERS = set(
    re.findall(
        r"\S+",
        """apparmor_parser apt-get base64 cat cp ct2-transformers-converter curl echo find grep hf install ln mkdir mv
        nvidia-smi oha openssl pip printf ray rsync sed sleep systemctl tar tee unzip useradd uv vllm""",
    )
)
"""Programs that are not this project's."""
ON_A_BARE_MACHINE = set(
    re.findall(r"\S+", "base64 cat cp curl cut echo grep head mkdir openfaze printf python3 sed tail tr true")
)
"""What an example that is executed may call: what Debian always has or the README has installed, and what is ours."""

_HEREDOC = re.compile(r"<<-?['\"]?(\w+)['\"]?([^\n]*)\n.*?\n\1$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_ASSIGNED = re.compile(r"(\w+)=(.*)", re.DOTALL)
_SEPARATORS = "();<>|&\n"


def executed_by(fences_in_order: Sequence[Fence]) -> dict[str, str]:
    """By place, who looks at the fence; of one that nobody does, nothing."""
    looked: dict[str, str] = {}
    before: Fence | None = None
    for fence in fences_in_order:
        kind = fence.language, fence.how
        page = fence.place.partition(":")[0]
        if kind in EXECUTED or page in ELSEWHERE.get(kind, ()):
            looked[fence.place] = "executed"
        elif fence.how == "output" and before is not None and before.how in ("run", "client", "integration"):
            looked[fence.place] = "compared"
        elif not fence.how and fence.language in CHECKS:
            looked[fence.place] = "checked"
        before = fence
    return looked


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
        case "docker":
            check_docker(arguments, folder)
        case "python" | "python3":
            check_module(arguments)
        case "runuser" | "sh":
            check_shell(arguments[arguments.index("-c") + 1], folder)
        case "detect":
            assert (ROOT / program).is_file()
            assert not arguments
        case "run":
            assert (ROOT / program).is_file()
            assert [Path(one).suffix for one in arguments] == [".json"]
        case name:
            assert name in OTHERS, f"no program '{name}' is known"


def check_variable(name: str, value: str) -> None:
    known = VARIABLES if name.startswith(PREFIX) else COMPOSE_VARIABLES | OTHERS_VARIABLES
    assert name in known, f"nothing reads {name}"
    if name == "COMPOSE_FILE":
        assert [path for path in value.split(":") if ROOT / path not in COMPOSE_FILES] == []
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


def check_docker(arguments: Sequence[str], folder: Path) -> None:
    left = list(arguments)
    tool = left.pop(0)
    if tool == "run":
        return
    assert tool == "compose", f"docker {tool}"
    while left[0] in ("-f", "--profile"):
        option, value = left.pop(0), left.pop(0)
        known = {str(path.relative_to(ROOT)) for path in COMPOSE_FILES} if option == "-f" else COMPOSE_PROFILES
        assert value in known, f"docker compose {option} {value}"
    what = left.pop(0)
    known = ("build", "config", "down", "exec", "logs", "restart", "run", "start", "stop", "up", "version")
    assert what in known, what
    if what not in ("exec", "run"):
        assert {word for word in left if not word.startswith("-")} <= SERVICES
        return
    while left[0].startswith("-"):
        if left.pop(0) == "--workdir":
            left.pop(0)
    assert left.pop(0) in SERVICES
    check_command(left, folder)


def check_module(arguments: Sequence[str]) -> None:
    assert arguments[0] == "-m", "only modules are shown"
    spec = importlib.util.find_spec(arguments[1])
    assert spec is not None, f"no module {arguments[1]}"
    source = Path(str(spec.origin)).read_text("utf-8")
    for word in arguments[2:]:
        if re.fullmatch(r"-*[a-z-]+", word) and word not in CATALOG:
            assert f'"{word}"' in source, f"{arguments[1]} has no {word}"


def check_json(code: str, folder: Path) -> None:
    shown = json.loads(code.replace("{…}", "{}"))
    for server in shown.get("mcpServers", {}).values():
        if "command" in server:
            check_command([server["command"], *server["args"]], folder)


def check_toml(code: str, folder: Path) -> None:
    """A file of keys is read as the command reads it."""
    file = folder / "shown.toml"
    file.write_text(code)
    table = tomllib.loads(code)
    if "keys" in table:
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


def test_every_fence_is_executed_compared_or_checked() -> None:
    opened = sum(len(re.findall(r"^ *(?:```|~~~)", path.read_text("utf-8"), re.MULTILINE)) for path in TEXTS)
    assert opened == 2 * len(FENCES)
    looked = executed_by(FENCES)
    assert [(fence.place, fence.language, fence.how) for fence in FENCES if fence.place not in looked] == []


@pytest.mark.parametrize("fence", [one for one in FENCES if not one.how], ids=lambda fence: fence.place)
def test_what_a_fence_names_is_there(fence: Fence, tmp_path: Path) -> None:
    CHECKS[fence.language](fence.code, tmp_path)


@pytest.mark.parametrize(
    "fence", [one for one in FENCES if (one.language, one.how) == ("sh", "run")], ids=lambda fence: fence.place
)
def test_an_example_that_runs_takes_no_program_that_a_bare_machine_lacks(fence: Fence) -> None:
    called = {name for words in commands(fence.code) if (name := program(words))}
    functions = set(re.findall(r"^(\w+) *\(\)", fence.code, re.MULTILINE))
    assert called - functions - {"{", "}", "export"} <= ON_A_BARE_MACHINE


def program(words: Sequence[str]) -> str | None:
    """The name of what a command calls, if it does more than set variables."""
    called = next((word for word in words if not _ASSIGNED.fullmatch(word)), None)
    return called and called.rpartition("/")[2]
