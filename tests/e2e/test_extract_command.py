"""`openfaze extract`: a folder of papers becomes a table whose cells are the API's answers, also after a kill."""

import base64
import io
import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas

from app.folders.client import PROMPT
from app.folders.schemas import schema_of
from tests.e2e.conftest import KEY, data_url
from tests.e2e.test_cli import off_but, openfaze_here
from tests.kit.processes.forked import stem
from tests.kit.project.fences import ROOT, fences
from tests.kit.servers.server import IMPORTS, SERVE, Server, serving

FIELDS = "number, date, total: number, items[what, price: number]"
PAPERS = {
    "a.txt": "Invoice number: A-17\nDate: 2026-03-12\nTotal: 12.50 EUR\n",
    "b.csv": "what,price\nBread,3.20\nMilk,1.10\n",
    "deep/c.txt": "Number: C-4\nDate: 13 April 2026\nTotal: 99.00 EUR\n",
    "z.pdf": "no PDF",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("extract") / "log", api_keys=KEY) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in PAPERS.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    return tmp_path


def extract(folder: Path, *arguments: str, key: str = KEY) -> "subprocess.CompletedProcess[str]":
    return openfaze_here("extract", *arguments, folder=folder, OPENFAZE_API_KEY=key)


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_cells_are_the_answers_of_the_api(server: Server, folder: Path) -> None:
    done = extract(folder, "in", "--schema", FIELDS, "--out", "out.jsonl", "--url", server.base_url, "--review", "0.9")
    assert done.returncode == 1, "one paper has an error"
    rows = lines_of(folder / "out.jsonl")
    assert [row["paper"] for row in rows] == ["in/a.txt", "in/b.csv", "in/z.pdf", "in/deep/c.txt"]
    assert "not a readable PDF" in rows.pop(2)["error"]
    for row in rows:
        file = folder / row["paper"]
        kind = {".csv": "text/csv", ".txt": "text/plain"}[file.suffix]
        part = {"type": "file", "file": {"file_data": data_url(file.read_bytes(), kind), "filename": file.name}}
        wanted = {"name": "paper", "schema": schema_of(FIELDS)}
        body = {
            "model": "interfaze-beta",
            "messages": [{"role": "user", "content": [{"type": "text", "text": PROMPT}, part]}],
            "response_format": {"type": "json_schema", "json_schema": wanted},
            "evidence": True,
        }
        headers = {"authorization": f"Bearer {KEY}"}
        told = httpx.post(f"{server.base_url}/v1/chat/completions", json=body, headers=headers, timeout=120).json()
        assert row["answer"] == json.loads(told["choices"][0]["message"]["content"])
        assert row["evidence"] == told["evidence"]
    assert rows[0]["answer"]["total"] == 12.5
    assert [item["what"] for item in rows[1]["answer"]["items"]] == ["Bread", "Milk"]
    assert "3 of 4 papers have an answer, 1 with an error" in done.stderr


def test_a_value_is_explained_and_no_table_is_made(server: Server, folder: Path) -> None:
    command = ("--explain", "in/a.txt", "--schema", FIELDS, "--url", server.base_url)
    done = extract(folder, *command, "--field", "total")
    assert done.returncode == 0, done.stderr
    first, heading, best, place, *_ = done.stdout.splitlines()
    assert first.startswith("/total = 12.5 (probability 0.")
    assert heading == "candidates (* has the value): share before calibration, logit = what each step added"
    assert best.startswith("* '12.50' → 12.5: ")
    assert "network +" in best
    assert place == "    in 'Total: 12.50 EUR'; labels: own 'Total'"
    assert [*folder.iterdir()] == [folder / "in"]


def test_a_table_in_a_missing_folder_is_refused_before_anything_is_asked(folder: Path) -> None:
    refused = extract(folder, "in", "--schema", FIELDS, "--out", "missing/x.csv", "--url", "http://127.0.0.1:9")
    assert refused.returncode == 2
    assert "--out" in refused.stderr


def test_a_run_that_has_nothing_to_do_asks_nothing(server: Server, folder: Path) -> None:
    command = ("in", "--schema", FIELDS, "--out", "out.csv", "--url", server.base_url)
    extract(folder, *command)
    (folder / "in" / "d.txt").write_text("Number: D-1\n")
    before = (folder / "out.csv").read_text()
    # A server that is not there is missed only where there is something to ask.
    nowhere = (*command[:-1], "http://127.0.0.1:9")
    assert extract(folder, *nowhere).returncode == 2
    assert "in/d.txt,,,,,not read yet\n" in (folder / "out.csv").read_text()
    (folder / "in" / "d.txt").unlink()
    assert extract(folder, *nowhere).returncode == 1
    assert (folder / "out.csv").read_text() == before


def test_a_schema_is_proposed_and_written(server: Server, folder: Path) -> None:
    command = ("in/a.txt", "in/deep/c.txt", "--out", "out.xlsx", "--url", server.base_url)
    done = extract(folder, *command)
    assert done.returncode == 0, done.stderr
    assert "proposed from the first papers" in done.stderr
    schema = json.loads((folder / "out.schema.json").read_text())
    assert {"date", "total"} <= schema["properties"].keys()
    assert "use it with --schema out.schema.json" in extract(folder, *command).stderr


def test_the_body_of_the_workflow_for_n8n_is_answered_with_the_fields(server: Server) -> None:
    shown = [one.code for one in fences(ROOT / "docs" / "integrations.md") if "{{ $json.data }}" in one.code]
    assert len(shown) == 1
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(60, 700, "Invoice number: A-17")
    canvas.drawString(60, 670, "Total: 12.50 EUR")
    canvas.save()
    # As n8n fills in an expression.
    body = shown[0].replace("{{ $json.data }}", base64.b64encode(file.getvalue()).decode())
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    told = httpx.post(f"{server.base_url}/v1/chat/completions", content=body, headers=headers, timeout=120).json()
    assert json.loads(told["choices"][0]["message"]["content"]) == {"number": "A-17", "total": 12.5}


class CountingServer(ThreadingHTTPServer):
    """Stands in for a server whose requests are counted; the request `held` is not answered until `release`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CountingHandler)
        self.asked: Counter[str] = Counter()
        self.held: int | None = None
        self.is_held, self.release = threading.Event(), threading.Event()


class CountingHandler(BaseHTTPRequestHandler):
    server: CountingServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = body["messages"][-1]["content"][1]["file"]["filename"]
        self.server.asked[name] += 1
        if self.server.asked.total() == self.server.held:
            self.server.is_held.set()
            self.server.release.wait(60)
        message = {"role": "assistant", "content": json.dumps({"name": name})}
        said = json.dumps({"choices": [{"message": message}], "evidence": {"/name": {"probability": 1.0}}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def counting() -> Iterator[CountingServer]:
    server = CountingServer()
    threading.Thread(target=server.serve_forever).start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


def command_of(folder: Path, counting: CountingServer, papers: int) -> tuple[list[str], tuple[str, ...]]:
    """The names of papers that are written below `folder`, and the command that makes a table of them."""
    names = [f"{number:02}.txt" for number in range(papers)]
    (folder / "in").mkdir()
    for name in names:
        (folder / "in" / name).write_text(name)
    url = f"http://127.0.0.1:{counting.server_address[1]}"
    return names, ("extract", "in", "--schema", "name", "--out", "out.jsonl", "--url", url, "--jobs", "1")


@pytest.mark.deep
@pytest.mark.parametrize("killed_at", [1, 10, 20])
def test_a_job_that_was_killed_goes_on_with_the_papers_that_are_left(
    tmp_path: Path, counting: CountingServer, killed_at: int
) -> None:
    names, command = command_of(tmp_path, counting, 20)
    counting.held = killed_at
    with Path("/dev/null").open("r+b") as nothing:
        first = stem(IMPORTS).start(SERVE, *command, cwd=tmp_path, stdin=nothing, stdout=nothing, stderr=nothing)
        assert counting.is_held.wait(60)
        first.kill()
        first.wait(60)
    counting.release.set()
    counting.held = None
    done = openfaze_here(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = lines_of(tmp_path / "out.jsonl")
    assert [(row["paper"], row["answer"]) for row in rows] == [(f"in/{name}", {"name": name}) for name in names]
    # Only the paper whose answer was on its way is asked about again.
    assert counting.asked == {name: 2 if number == killed_at - 1 else 1 for number, name in enumerate(names)}


def test_a_folder_of_downloads_runs_no_code_and_sets_nothing(tmp_path: Path) -> None:
    """With the program as it is installed, and a file in the place of every module that there is."""
    ran = tmp_path / "ran"
    modules = {*sys.stdlib_module_names, *packages_distributions(), "app", "tasks", "models", "sitecustomize"}
    for name in filter(str.isidentifier, modules):
        (tmp_path / f"{name}.py").write_text(f"open({str(ran)!r}, 'a').write('{name} ')")
    (tmp_path / ".env").write_text("OPENFAZE_OCR=nothing\n")
    (tmp_path / "in").mkdir()
    # A worker process reads a text of this length.
    (tmp_path / "in" / "a.txt").write_text("Invoice number: A-17\n" + 3000 * "Nothing else.\n")
    command = (Path(sysconfig.get_path("scripts"), "openfaze"), "extract", "in", "--schema", "number", "--out", "t.csv")
    env = os.environ | off_but("extraction", "llm")
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, ran.exists()) == (0, False), done.stderr
    assert "in/a.txt,A-17," in (tmp_path / "t.csv").read_text()


def test_no_paper_is_lost_for_one_field(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(PAPERS["a.txt"])
    (tmp_path / "big.pdf").touch()
    os.truncate(tmp_path / "big.pdf", 20 << 30)
    fields = {"number": {"type": "string"}, "website": {"type": "string", "format": "uri"}}
    schema = {"type": "object", "properties": fields, "required": ["number", "website"]}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    done = extract(tmp_path, "big.pdf", "a.txt", "--schema", "s.json", "--out", "out.csv", "--url", server.base_url)
    assert done.returncode == 1
    _, large, missing = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()
    assert large.startswith('big.pdf,,,,"cannot be read: it has 21,474,836,480 bytes')
    assert missing == "a.txt,A-17,,,nothing in the paper answers website"
