"""The `code_sandbox` task: which code it runs, on which files, and what it makes of the outcome."""

import pytest

from models.sandbox.script import SandboxLimits, Script, ScriptOutcome
from tasks.code_sandbox import CodeSandboxTask, code_in, input_files
from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Blob, Origin, Source
from tests.conftest import each_case
from tests.kit.chats.requests import request_of


class Recorder:
    """Takes scripts, and answers as it is told."""

    limits = SandboxLimits(seconds=2.5, memory=512 << 20)

    def __init__(self, outcome: ScriptOutcome) -> None:
        self.outcome = outcome
        self.scripts: list[Script] = []

    async def run(self, script: Script) -> ScriptOutcome:
        self.scripts.append(script)
        return self.outcome


async def result_of(
    outcome: ScriptOutcome, text: str = "print(1)", *sources: Source
) -> tuple[dict[str, object], Recorder]:
    recorder = Recorder(outcome)
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    try:
        task = CodeSandboxTask(lambda: recorder, loader)
        return dict((await task.run(request_of("code_sandbox", text, sources))).data), recorder
    finally:
        await loader.close()


@each_case(
    ("text", "code"),
    [
        ("print(1)", "print(1)"),
        ("\nfor x in 1, 2:\n    print(x)\n", "for x in 1, 2:\n    print(x)"),
        ("Run this:\n```python\nprint(1)\n```\nPlease.", "print(1)"),
        ("```py\nprint(1)", "print(1)"),
        ("~~~python\nprint('```')\n~~~", "print('```')"),
        ("````python\nprint('''\n```\n''')\n````", "print('''\n```\n''')"),
        ("```python\nx = 1\n```\nand\n```python\nprint(x)\n```", "x = 1\nprint(x)"),
        ("```sh\nls\n```\n```python\nprint(1)\n```", "print(1)"),
        ("```python\r\nprint(1)\r\n```", "print(1)"),
    ],
)
def test_fenced_python_is_run_else_the_whole_text(text: str, code: str) -> None:
    assert code_in(text) == code


def test_code_in_other_languages_only_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match="runs Python, and the message's code is rust, sh"):
        code_in("```sh\nls\n```\n```rust\nfn main() {}\n```")


async def test_a_result_is_as_the_contract_says() -> None:
    result, _ = await result_of(ScriptOutcome("1\n", 0))
    assert result == {
        "code_script": "print(1)",
        "language": "python",
        "output": "1\n",
        "exit_code": 0,
        "timed_out": False,
    }
    assert list(result) == ["code_script", "language", "output", "exit_code", "timed_out"]


@pytest.mark.parametrize("printed", ["on", "on\n"])
async def test_what_a_limit_ended_is_told_with_its_setting(printed: str) -> None:
    late, _ = await result_of(ScriptOutcome(printed, 137, "time"))
    assert late["output"] == "on\n[stopped: it took longer than 2.5 s]\n"
    assert late["timed_out"] is True
    greedy, _ = await result_of(ScriptOutcome("", 137, "memory"))
    assert greedy["output"] == "[stopped: it held more than 512 MB of memory]\n"
    assert greedy["timed_out"] is False


async def test_the_requests_inputs_go_along() -> None:
    source = Source(Origin("file", "file_data", 0, 0), payload="data:text/csv;base64,MSwy", filename="a.csv")
    _, recorder = await result_of(ScriptOutcome("", 0), "print(1)", source)
    [file] = recorder.scripts[0].files
    assert (file.name, file.data) == ("a.csv", b"1,2")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.csv", "b.csv"], ["a.csv", "b.csv"]),
        (["a.csv", "a.csv"], ["a.csv", "2-a.csv"]),
        ([None, ""], ["input-1", "input-2"]),
        (["../../etc/passwd"], ["_.._etc_passwd"]),
        (["a\nb\0c"], ["a_b_c"]),
        (["三" * 100 + ".csv"], ["三" * 65 + ".csv"]),
    ],
)
def test_files_have_plain_and_different_names(names: list[str | None], expected: list[str]) -> None:
    files = input_files([Blob(b"x", "text/csv", name, "p") for name in names])
    assert [file.name for file in files] == expected
