"""The documents' code runs, and prints what they say it prints.

A fence `sh run` or `python run` is executed in a folder that holds `receipt.png`, `receipt.jpg`, `people.jpg` and
`speech.flac`, with settings that name a file of keys there, with one of `alice`; `python client` with the official
client and the older openai package that it needs. The `output` fence behind it is what it prints. What is marked
`integration`, `make test-extras` executes; what is not marked, tests/unit/project/test_docs_fences.py checks.
"""

import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from app.access import key_file
from models.sandbox.bubblewrap import missing
from tests.conftest import SHARED
from tests.e2e.conftest import printed_by_client
from tests.kit.internet.origin import Origin, serving_origin
from tests.kit.internet.web_pages import LAYOUTS
from tests.kit.processes.forked import executable
from tests.kit.processes.sandboxes import SANDBOX_WHERE_IT_RUNS
from tests.kit.project.fences import ROOT, TEXTS, Fence, fences
from tests.kit.servers.server import IMPORTS, PATIENT, REMEMBERING, SERVE, Server, serving

PICTURE = "receipt.png"
SAMPLE = ROOT / "app" / "playground" / "samples" / PICTURE
SCAN = "receipt.jpg"
PHOTO = "people.jpg"
TRANSLATION = "<task>translate</task>"
SANDBOX = "code_sandbox"
SPEECH = "speech.flac"
ADDRESS = "http://127.0.0.1:8000"
PAGES = "http://127.0.0.1:8001"

EXAMPLES = [fence for path in TEXTS for fence in fences(path) if fence.how in ("run", "client")]


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """The pages that the documents link to."""
    with serving_origin() as origin:
        origin.files["/links"] = LAYOUTS["link_list"]().html
        yield origin


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an `openfaze` that starts at once."""
    folder = tmp_path_factory.mktemp("bin")
    with executable(folder / "openfaze", IMPORTS, SERVE):
        yield folder


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("docs") / "log"
    weights = SHARED / "weights"
    settings = {
        "preload": "ocr",
        "weights_dir": weights,
        "fetch_allow": "127.0.0.1",
        "code_sandbox": SANDBOX_WHERE_IT_RUNS,
    }
    with serving(log, REMEMBERING, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def caching_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("cached") / "log", PATIENT, cache="exact", llm="off") as server:
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_an_example_prints_what_the_document_says(
    example: Fence, request: pytest.FixtureRequest, origin: Origin, commands: Path, shared: Path, tmp_path: Path
) -> None:
    is_cached = example.place.startswith("docs/cache.md")
    server: Server = request.getfixturevalue("caching_server" if is_cached else "open_server")
    if TRANSLATION in example.code and shutil.which("apertium") is None:
        pytest.skip("needs Apertium with apertium-eng-spa")
    if SANDBOX in example.code and (reason := missing()):
        pytest.skip(reason)
    shutil.copy(SAMPLE, tmp_path / PICTURE)
    shutil.copy(shared / "samples" / "receipt_000.jpg", tmp_path / SCAN)
    shutil.copy(shared / "samples" / "photo_people.jpg", tmp_path / PHOTO)
    shutil.copy(shared / "samples" / "speech_jfk.flac", tmp_path / SPEECH)
    code = example.code.replace(ADDRESS, server.base_url).replace(PAGES, f"http://127.0.0.1:{origin.port}")
    printed = PRINTED[example.language, example.how](code, tmp_path, commands).strip()
    said = example.output.strip()
    # What the README shows is what everybody compares with: it is today's, to the space.
    is_readme = example.place.startswith("README.md")
    if not is_readme and any(name in example.code for name in (PICTURE, SCAN, PHOTO, SPEECH)):
        # Processors round differently: a score, a time or a smudged letter may differ from one to the next. A score of
        # two figures would be much of a short answer, so how sure the server is does not count at all.
        printed, said = (re.sub(r"\d+% *", "% ", text) for text in (printed, said))
        assert difflib.SequenceMatcher(None, printed, said, autojunk=False).ratio() > 0.97, printed
    else:
        # A line that is read surely is 0.99 on one processor and 1.0 on another.
        printed, said = (re.sub(r"(?m)^(?:1\.0|0\.9\d) ", "1.0 ", text) for text in (printed, said))
        assert printed == said


def run_shell(code: str, folder: Path, commands: Path) -> str:
    key_file.add_key(folder / "its-keys.toml", "alice", {})
    # A pipe has no width, unless who runs the tests says one.
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    settings = {"OPENFAZE_FILES_DIR": str(folder / "files"), "OPENFAZE_KEYS_FILE": str(folder / "its-keys.toml")}
    result = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=code,
        cwd=folder,
        env=inherited | settings | {"PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_here(code: str, folder: Path, _: Path) -> str:
    """In this process, where the SDK is imported once for all examples; a warning is an error here too."""
    printed = io.StringIO()
    names: dict[str, object] = {"__name__": "__main__"}
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.ExitStack() as clients:
        exec(compile(code, "<example>", "exec"), names)
        # An example leaves its client open, as programs do that end.
        for client in names.values():
            if isinstance(client, OpenAI):
                clients.enter_context(client)
    return printed.getvalue()


PRINTED = {
    ("sh", "run"): run_shell,
    ("python", "run"): run_here,
    ("python", "client"): lambda code, folder, _: printed_by_client(code, cwd=folder),
}
"""By the language of an example and how it is marked: what it prints in a folder."""
