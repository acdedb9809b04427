"""What a module imports: the frame nothing of an engine, and a process nothing that it does not need."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FRAME = [
    *sorted((ROOT / "models").glob("*.py")),
    *(ROOT / "app" / f"{name}.py" for name in ("assembly/building", "assembly/services", "settings")),
]


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return names | {
        f"{node.module}.{name.name}" for node in nodes if isinstance(node, ast.ImportFrom) for name in node.names
    }


def test_the_frame_imports_of_a_capabilitys_folder_only_what_it_declares() -> None:
    """Wherever in a module: what the frame knew of an engine, the next one would have to be told to it, too."""
    folders = tuple(
        f"models.{folder.name}." for folder in (ROOT / "models").iterdir() if any(folder.rglob("capability.py"))
    )
    within = {name for path in FRAME for name in imported(path) if name.startswith(folders)}
    assert within, "the services ask for some capabilities"
    assert [name for name in within if ".capability." not in name and ".settings." not in name] == []


def test_looking_for_capabilities_and_tasks_imports_no_library_that_computes() -> None:
    """A server that never needs one does without its memory, and starts without its time."""
    heavy = {"torch", "onnxruntime", "openvino", "ctranslate2", "faster_whisper", "statsmodels", "paddle", "xllamacpp"}
    slow = {"scipy", "cv2", "openpyxl", "bs4", "markdownify", "filelock", "pandas", "matplotlib", "trafilatura"}
    slow |= {"hishel", "redis"}
    # A first look, which the first request waits for, finds out what can run.
    look = "import asyncio, app.main\nfrom app.assembly.services import Services\nfrom app.settings import Settings\n"
    look += "async def run():\n    await Services(Settings(_env_file=None)).runtime.look()\n"
    assert modules_after(f"{look}asyncio.run(run())") & (heavy | slow) == set()


def test_a_wrong_setting_is_told_before_anything_of_the_server_is_imported() -> None:
    serve = "import contextlib, app.cli.main\nwith contextlib.suppress(SystemExit): app.cli.main.serve(port=-1)"
    assert modules_after(serve) & {"app.main", "app.assembly.services", "fastapi", "uvicorn"} == set()


def test_a_worker_process_imports_nothing_that_fetches() -> None:
    decoding = "import models.workers.process, tasks.inputs.blame, tasks.inputs.readers"
    assert modules_after(decoding) & {"httpx", "httpcore", "aiohttp", "tasks.inputs.fetch", "PIL", "pypdfium2"} == set()
    # The event loop and the log would take as long as all the rest.
    decoders = "import tasks.inputs.picture, tasks.inputs.pdf.document, tasks.inputs.av.video, tasks.inputs.mail_file"
    assert modules_after(f"{decoding}; {decoders}") & {"asyncio", "structlog", "rich"} == set()


def modules_after(program: str) -> set[str]:
    shown = f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))
