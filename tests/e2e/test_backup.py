"""A crash, and a backup by the commands of docs/deployment.md: what had been acknowledged is there afterwards."""

import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import openai
import pytest

from app.access import key_file
from tests.e2e.batched import client_of, create, ended, line, of_llm, rows, when
from tests.kit.project.fences import printed
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import SERVE, Server, serving

SOON_FREE = f"import app.batches.runner as runner; runner.LEASE_S = 3.0; runner.POLL_S = 0.5\n{SERVE}"
"""A server whose batches are another's three seconds after it was killed."""
LINES, FIRST_LINES = 12, 5


def test_what_is_copied_by_the_commands_of_the_page_is_restored_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    answered: list[str] = []
    is_free = threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        """Answer the first lines of the batch, and the others once they are free."""
        text = body["messages"][-1]["content"]
        if text.startswith("line"):
            if not is_free.is_set() and len(set(answered)) >= FIRST_LINES:
                return Reply("never", hang_before_first_byte=True)
            answered.append(text)
        return Reply(f"answer to {text}")

    key = key_file.add_key(tmp_path / "keys.toml", "alice", {"requests_per_minute": 100_000})
    with serving_llm(reply) as llm:
        settings = of_llm(llm, files_dir=tmp_path / "files", keys_file=tmp_path / "keys.toml", batch_lines_at_once=2)
        with serving(tmp_path / "first", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
            batch = create(sdk, *(line(f"{n}", f"line {n}") for n in range(LINES)))
            when(sdk, batch, lambda one: one.request_counts is not None and one.request_counts.completed == FIRST_LINES)
            uploads = {sdk.files.create(file=("a.bin", bytes(n)), purpose="user_data").id: n for n in range(1, 9)}
            kept = [sdk.responses.create(model="interfaze-beta", input=f"question {n}").id for n in range(8)]
            kill(server)
        follow("--create", tmp_path)
        with serving(tmp_path / "second", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
            later = sdk.files.create(file=("later.bin", b"later"), purpose="user_data").id
            kill(server)
        follow("--extract", tmp_path)
        is_free.set()
        with serving(tmp_path / "third", SOON_FREE, **settings) as server, client_of(server, key) as sdk:
            assert {one: len(sdk.files.content(one).content) for one in uploads} == uploads
            assert [sdk.responses.retrieve(one).status for one in kept] == ["completed"] * len(kept)
            assert len(rows(sdk, ended(sdk, batch).output_file_id)) == LINES
            with pytest.raises(openai.NotFoundError):
                sdk.files.retrieve(later)
    assert Counter(answered) == {f"line {n}": 1 for n in range(LINES)}


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(60)


def follow(part: str, folder: Path) -> None:
    """Run the page's commands for systemd, without systemd, in `folder` instead of the service's own."""
    shown = printed("deployment.md", "--directory /var/lib/openfaze", part)
    code = shown.replace("/var/lib/openfaze", str(folder)).replace("systemctl", ": systemctl")
    subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=folder, check=True)
