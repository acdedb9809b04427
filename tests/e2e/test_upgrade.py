"""What version 0.1.0 kept is there for this one, and what this one keeps for 0.1.0: the way back."""

import contextlib
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.access import key_file
from tests.e2e.batched import client_of, create, ended, line, of_llm, rows
from tests.fences import ROOT
from tests.llm_server import serving_llm
from tests.server import SERVE, Server, held_port, serving, wait_until_up

VERSION_0_1_0 = "f22dcbe"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of version 0.1.0."""
    folder = tmp_path_factory.mktemp("old")
    command = ["git", "archive", VERSION_0_1_0, "app", "tasks", "models", "pyproject.toml"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True)
    if found.returncode:
        pytest.skip("needs the repository with its history, which has version 0.1.0")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextlib.contextmanager
def serving_old(old: Path, log_file: Path, settings: dict[str, object]) -> Iterator[Server]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENFAZE_")}
    own = {"auto_pull": 0, "search_provider": "off", **settings}
    with held_port() as port, log_file.open("wb") as log:
        variables = {f"OPENFAZE_{name.upper()}": str(value) for name, value in {**own, "port": port}.items()}
        # Modules of the working directory go before those that are installed.
        command = [sys.executable, "-c", SERVE, "serve"]
        with subprocess.Popen(command, cwd=old, env={**inherited, **variables}, stdout=log, stderr=log) as process:
            server = Server(f"http://127.0.0.1:{port}", process, log_file)
            try:
                wait_until_up(server)
                yield server
            finally:
                process.terminate()


def test_an_upgrade_and_the_way_back_lose_nothing(old: Path, tmp_path: Path) -> None:
    key = key_file.add_key(tmp_path / "keys.toml", "alice", {"budget_usd": 5.0})
    kept: dict[str, bytes] = {}
    said: dict[str, str] = {}
    batches: list[str] = []

    def work(server: Server, name: str) -> None:
        with client_of(server, key) as sdk:
            kept[sdk.files.create(file=("a.bin", name.encode()), purpose="user_data").id] = name.encode()
            before = next(reversed(said), None)
            response = sdk.responses.create(model="interfaze-beta", input=name, previous_response_id=before)
            said[response.id] = name
            batch = ended(sdk, create(sdk, line("1", name), line("2", name)))
            batches.append(batch.id)
            check(server)

    def check(server: Server) -> None:
        with client_of(server, key) as sdk:
            assert {one: sdk.files.content(one).read() for one in kept} == kept
            assert kept.keys() <= {one.id for one in sdk.files.list()}
            for response_id, text in said.items():
                assert sdk.responses.retrieve(response_id).output_text == "ok"
                [item] = sdk.responses.input_items.list(response_id).data[:1]
                assert item.to_dict()["content"] == [{"type": "input_text", "text": text}]
            for batch_id in batches:
                assert len(rows(sdk, sdk.batches.retrieve(batch_id).output_file_id)) == 2

    with serving_llm() as llm:
        settings = of_llm(llm, files_dir=tmp_path / "files", keys_file=tmp_path / "keys.toml")
        with serving_old(old, tmp_path / "old.log", settings) as server:
            work(server, "said to the old one")
        with serving(tmp_path / "new.log", **settings) as server:
            check(server)
            work(server, "said to the new one")
        with serving_old(old, tmp_path / "back.log", settings) as server:
            check(server)
            work(server, "said to the old one again")
