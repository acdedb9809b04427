"""What version 0.1.0 has kept is there for this one, and there is a way back."""

import contextlib
import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest

from app.access import key_file
from tests.e2e.batched import client_of, create, ended, line, of_llm, rows
from tests.e2e.test_backup import follow
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
    # Python 3.11.2, which Debian 12 has, cannot tell tarfile which members are harmless; later ones want to be told.
    subprocess.run(["tar", "-x", "-C", folder], input=found.stdout, check=True)
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


@dataclass
class State:
    """What a key has in a server's state, as servers acknowledged it."""

    key: str
    uploads: dict[str, bytes] = field(default_factory=dict)
    responses: dict[str, str] = field(default_factory=dict)
    """What each answers."""
    batches: list[str] = field(default_factory=list)

    def add(self, server: Server, said: str) -> None:
        with client_of(server, self.key) as sdk:
            uploaded = sdk.files.create(file=("a.bin", said.encode()), purpose="user_data")
            before = next(reversed(self.responses), None)
            response = sdk.responses.create(model="interfaze-beta", input=said, previous_response_id=before)
            self.uploads[uploaded.id], self.responses[response.id] = said.encode(), said

    def add_batch(self, server: Server) -> None:
        with client_of(server, self.key) as sdk:
            self.batches.append(ended(sdk, create(sdk, line("1", "one"), line("2", "two"))).id)

    def check(self, server: Server) -> None:
        with client_of(server, self.key) as sdk:
            assert {one: sdk.files.content(one).read() for one in self.uploads} == self.uploads
            assert self.uploads.keys() <= {one.id for one in sdk.files.list()}
            for response_id, said in self.responses.items():
                assert sdk.responses.retrieve(response_id).output_text == "ok"
                [item] = sdk.responses.input_items.list(response_id).data[:1]
                assert item.to_dict()["content"] == [{"type": "input_text", "text": said}]

    def check_batches(self, server: Server) -> None:
        with client_of(server, self.key) as sdk:
            for batch_id in self.batches:
                assert len(rows(sdk, sdk.batches.retrieve(batch_id).output_file_id)) == 2


@pytest.mark.deep
def test_an_upgrade_loses_nothing_and_the_way_back_leads_over_the_backup_from_before(old: Path, tmp_path: Path) -> None:
    state = State(key_file.add_key(tmp_path / "keys.toml", "alice", {"budget_usd": 5.0}))
    with serving_llm() as llm:
        settings = of_llm(llm, files_dir=tmp_path / "files", keys_file=tmp_path / "keys.toml")
        with serving_old(old, tmp_path / "old.log", settings) as server:
            state.add(server, "said to the old one")
            state.add_batch(server)
            state.check_batches(server)
        follow("--create", tmp_path)
        before = copy.deepcopy(state)
        with serving(tmp_path / "new.log", **settings) as server:
            state.add(server, "said to the new one")
            state.add_batch(server)
            state.check(server)
            state.check_batches(server)

        # Without the backup, the old one has all but batches.
        with serving_old(old, tmp_path / "back.log", settings) as server, client_of(server, state.key) as sdk:
            state.add(server, "said to the old one again")
            state.check(server)
            with pytest.raises(openai.InternalServerError, match="503"):
                sdk.batches.list()
        with serving(tmp_path / "again.log", **settings) as server:
            state.check(server)
            state.check_batches(server)

        # With it, everything from before.
        follow("--extract", tmp_path)
        with serving_old(old, tmp_path / "restored.log", settings) as server:
            before.check(server)
            before.check_batches(server)
