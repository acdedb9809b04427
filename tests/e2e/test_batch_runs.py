"""How the lines of a batch run with a server that ends in their midst, and with a key that is removed."""

import hashlib
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.batched import client_of, create, ended, line, of_llm, rows, when
from tests.llm_server import Reply, serving_llm
from tests.server import SERVE, serving

SOON_FREE = f"import app.batches.runner as runner; runner.LEASE_S = 3.0; runner.POLL_S = 0.5\n{SERVE}"
"""A server whose batches are another's three seconds after it was killed."""


@pytest.mark.deep
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_asks_nothing_again_that_was_answered(how: signal.Signals, tmp_path: Path) -> None:
    answered: list[str] = []
    stuck = threading.Event()

    def reply(body: dict[str, Any]) -> Reply:
        text = body["messages"][-1]["content"]
        if stuck.is_set() or len(set(answered)) < 5:
            answered.append(text)
            return Reply(f"answer to {text}")
        return Reply("never", hang_before_first_byte=True)

    with serving_llm(reply) as llm:
        settings = of_llm(llm, files_dir=tmp_path / "files", batch_lines_at_once=2)
        with serving(tmp_path / "first", SOON_FREE, **settings) as server, client_of(server) as sdk:
            batch = create(sdk, *(line(f"{n}", f"number {n}") for n in range(12)))
            done = when(sdk, batch, lambda one: one.request_counts is not None and one.request_counts.completed == 5)
            assert done.status == "in_progress"
            server.process.send_signal(how)
            server.process.wait(60)
        stuck.set()
        with serving(tmp_path / "second", SOON_FREE, **settings) as server, client_of(server) as sdk:
            batch = ended(sdk, batch)
            assert batch.status == "completed"
            answers = rows(sdk, batch.output_file_id)
        assert len(answers) == 12
        assert Counter(answered) == {f"number {n}": 1 for n in range(12)}


def test_a_batch_keeps_to_the_limits_of_a_key_whose_tenant_the_file_does_not_say(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    digests = {key: hashlib.sha256(key.encode()).hexdigest() for key in ("of-mine", "of-other")}
    tables = [f'[[keys]]\nname = "{key}"\nsha256 = "{digest}"\n' for key, digest in digests.items()]
    keys.write_text(tables[0] + 'tasks = ["ocr"]\n' + tables[1])
    with serving_llm(lambda body: Reply(f"answer to {body['messages'][-1]['content']}")) as llm:
        settings = of_llm(llm, files_dir=tmp_path / "files", keys_file=keys)
        with serving(tmp_path / "first", **settings) as server, client_of(server, "of-mine") as sdk:
            batch = ended(sdk, create(sdk, *(line(f"{n}") for n in range(3))))
            errors = rows(sdk, batch.error_file_id)
        assert batch.request_counts is not None
        assert (batch.status, batch.request_counts.failed) == ("completed", 3)
        assert {row["response"]["status_code"] for row in errors.values()} == {403}
        assert not llm.requests
