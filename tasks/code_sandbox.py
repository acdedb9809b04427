"""The `code_sandbox` task, which runs Python."""

import asyncio
import base64
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from models.concurrency import side_by_side
from models.sandbox.bubblewrap import Sandbox
from models.sandbox.capability import CODE_SANDBOX
from models.sandbox.script import InputFile, Picture, SandboxLimits, Script, ScriptOutcome
from models.setting_types import ON
from tasks.base import Parts, Specialist, TaskRequest
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import megabytes
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Blob
from tasks.result import Result, ResultLine, pieces_under, texts_in
from tasks.tools import Tool
from tasks.wording.options import TaskOptions

_FENCE = re.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[ \t]*+([\w+.#-]*+)[^\n`]*+\n(.*?)(?:^ {0,3}\1[`~]*+[ \t]*+$|\Z)", re.M | re.S
)
"""A fenced code block of Markdown with its language. An unclosed block ends with the text. The quantifiers are
possessive, so that a long line of tildes is read only once."""
MAX_CHARS = 1_000_000
"""A message with code has at most this many characters. Looking for the code holds Python's lock, for 0.1 s at most."""
_PYTHON = frozenset({"", "python", "python3", "py", "py3"})
_UNSAFE = re.compile(r"[^\w.\- ()]")
_LONGEST_NAME = 200
"""A file name is cut to its last bytes, at most this many, before a number may be added to its beginning. File systems
allow 255."""
_LOADS_AT_ONCE = 4


class Image(TypedDict):
    filename: str
    url: str
    """Data URL of the picture."""


class CodeData(TypedDict):
    code_script: str
    language: str
    output: str
    """The output on both streams. If a limit ended the script, a last line in brackets names the limit."""
    exit_code: int
    """Exit code by the shell's convention: 128 + the signal's number if a signal ended the script."""
    timed_out: bool
    images: NotRequired[list[Image]]


class CodeResult(Result[CodeData]):
    def _result_lines(self) -> Iterator[ResultLine]:
        yield from pieces_under("code:", self.data["code_script"])
        yield from pieces_under("output:", self.data["output"])

    def texts_for_guard(self) -> Iterator[str]:
        return texts_in(self.data, frozenset({"images"}))

    def pictures(self) -> Iterator[tuple[str, str]]:
        return ((image["filename"], image["url"]) for image in self.data.get("images", ()))


class CodeOptions(TaskOptions):
    code: Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]
    """Python source code."""


class CodeSandboxTask:
    """Runs Python code.

    The script finds the request's inputs as files below `/input`. PNG files that it leaves and figures that it shows
    are returned.
    """

    name = "code_sandbox"

    def __init__(self, sandbox: Callable[[], Sandbox], loader: MediaLoader) -> None:
        self._sandbox = sandbox
        self._loader = loader

    async def run(self, request: TaskRequest[CodeOptions]) -> CodeResult:
        """Run the code. Raises InputError (no code, an unreadable input), EngineOverloaded, EngineUnavailable and
        EngineFailed. Errors of the code itself are part of the result."""
        code = request.options.code
        sandbox = self._sandbox()
        blobs = await side_by_side(self._loader.load, request.sources, at_most=_LOADS_AT_ONCE)
        outcome = await sandbox.run(Script(code, input_files(blobs)))
        data = CodeData(
            code_script=code,
            language="python",
            output=_output_text(outcome, sandbox.limits),
            exit_code=outcome.exit_code,
            timed_out=outcome.stopped == "time",
        )
        if outcome.pictures:
            data["images"] = await asyncio.to_thread(lambda: [_encode_image(picture) for picture in outcome.pictures])
        return CodeResult(data)


def parse_code(words: str, _has_sources: bool = False) -> CodeOptions:
    return CodeOptions(code=code_in(words))


def code_in(text: str) -> str:
    """Return the Python code of a message: its fenced blocks, joined to one script, or else the whole text. Raises
    InputTooLarge, and InputError if there is none or only code in other languages."""
    if len(text) > MAX_CHARS:
        raise InputTooLarge(
            f"the message with the code has {len(text)} characters; the limit is {MAX_CHARS}. Attach data as files.",
            code="request_too_large",
        )
    blocks = [(language.lower(), code) for _, language, code in _FENCE.findall(text)]
    if not blocks:
        if not text.strip():
            raise InputError("task 'code_sandbox' needs Python code: send it as the message's text")
        return text.strip()
    found = [code for language, code in blocks if language in _PYTHON]
    if not found:
        others = ", ".join(sorted({language for language, _ in blocks}))
        raise InputError(f"task 'code_sandbox' runs Python, and the message's code is {others}")
    return "\n".join(code.rstrip("\r\n") for code in found)


def input_files(blobs: Sequence[Blob]) -> tuple[InputFile, ...]:
    """Return the inputs as files under their own names, made safe and unique."""
    files: dict[str, InputFile] = {}
    for number, blob in enumerate(blobs, 1):
        plain = _UNSAFE.sub("_", blob.filename or "").strip(". ")
        name = plain.encode()[-_LONGEST_NAME:].decode("utf-8", "ignore") or f"input-{number}"
        while name in files:
            name = f"{number}-{name}"
        files[name] = InputFile(name, blob.data)
    return tuple(files.values())


def _output_text(outcome: ScriptOutcome, limits: SandboxLimits) -> str:
    match outcome.stopped:
        case None:
            return outcome.output
        case "time":
            why = f"it took longer than {limits.seconds:g} s"
        case "memory":
            why = f"it held more than {megabytes(limits.memory)} of memory"
    gap = "\n" if outcome.output and not outcome.output.endswith("\n") else ""
    return f"{outcome.output}{gap}[stopped: {why}]\n"


def _encode_image(picture: Picture) -> Image:
    return Image(filename=picture.name, url=f"data:image/png;base64,{base64.b64encode(picture.png).decode()}")


def _build(parts: Parts) -> CodeSandboxTask:
    # Because of this call, an unusable sandbox is found when the task is built, and not only by the first request.
    parts.engines.can_serve(CODE_SANDBOX.name)
    return CodeSandboxTask(partial(parts.engines.use, CODE_SANDBOX), parts.loader)


TASK = Specialist(
    CodeSandboxTask.name,
    _build,
    CodeOptions,
    parse_code,
    Tool(
        "Run Python code for exact computation, with numpy, pandas and matplotlib. It has no network. What it prints "
        "comes back, and the user sees the figures that it shows.",
        CodeData,
        input="text",
        takes_files=True,
    ),
    uses=(CODE_SANDBOX,),
    is_public=lambda config: CODE_SANDBOX.choice(config) == ON,
    sees_names=True,
    order=90,
)
