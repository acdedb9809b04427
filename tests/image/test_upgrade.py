"""From version 0.1.0 to this one on the same volumes, and back, as docs/deployment.md says it."""

from pathlib import Path
from typing import Any

import openai
import pytest

from app.calling import BODY
from tests.image import building
from tests.image.installation import Installation, installed, until

BACKUP = "cache/before.zip"
"""In a volume that neither an upgrade nor the way back touches."""
MODEL = "interfaze-beta"
KEPT = ("files", "state", "keys")


@pytest.mark.deep  # it builds another image
def test_an_upgrade_loses_nothing_and_the_way_back_leads_to_what_was_there_before(tmp_path: Path, image: str) -> None:
    release = tmp_path / "0.1.0"
    release.mkdir()
    old = building.previous(release)
    with installed(tmp_path / "installation", old, release) as server:
        server.configure(OPENFAZE_PRELOAD="")
        server.up()
        first = made(server, "0.1.0")

        server.compose("stop", "openfaze")
        server.install(image, building.ROOT)
        once(server, "openfaze", "backup", BACKUP)
        server.up()
        assert server.execute("openfaze", "--version").stdout.split()[-1] != "0.1.0"
        assert kept(server, first) == first
        second = made(server, "0.2.0")
        assert kept(server, second) == second

        server.compose("stop", "openfaze")
        once(server, "sh", "-c", f"mkdir cache/newer && cp -r {' '.join(KEPT)} cache/newer")
        once(server, "sh", "-c", f"find {' '.join(KEPT)} -mindepth 1 -delete")
        once(server, "openfaze", "restore", BACKUP)
        server.install(old, release)
        server.up()
        assert kept(server, first) == first
        with server.sdk() as client:
            assert len(list(client.files.list())) == len(FILES)
        # No backup has them: they are where they were.
        assert server.execute("cat", second["weights"]).stdout == second["weights text"]


FILES = ("upload", "source", "output")
"""That `made` makes: an upload, what a batch reads, and what it answers."""


def once(server: Installation, *command: str) -> None:
    """In a container of its own, as `docker compose run`."""
    server.compose("run", "--rm", "-T", "openfaze", *command)


def made(server: Installation, note: str) -> dict[str, Any]:
    """One of everything that an installation keeps; ids and contents."""
    weights = f"/var/lib/openfaze/weights/{note}"
    server.execute("sh", "-c", f"echo {note} > {weights}")
    with server.sdk() as client:
        upload = client.files.create(file=("note.txt", note.encode()), purpose="user_data")
        line = '{"custom_id": "%s", "method": "POST", "url": "/v1/moderations", "body": {"input": "%s"}}'
        lines = "\n".join(line % (number, note) for number in range(3))
        source = client.files.create(file=("lines.jsonl", lines.encode()), purpose="batch")
        batch = client.batches.create(input_file_id=source.id, endpoint="/v1/moderations", completion_window="24h")
        until("completed", lambda: client.batches.retrieve(batch.id).status == "completed", told=server.logs)
        response = client.responses.create(model=MODEL, input=_as_input(), store=True)
        ids = {"upload": upload.id, "batch": batch.id, "response": response.id, "weights": weights}
        return {**ids, **_contents(client, server, ids)}


def kept(server: Installation, first: dict[str, Any]) -> dict[str, Any]:
    ids = {name: first[name] for name in ("upload", "batch", "response", "weights")}
    with server.sdk() as client:
        return {**ids, **_contents(client, server, ids)}


def _contents(client: openai.OpenAI, server: Installation, ids: dict[str, str]) -> dict[str, Any]:
    batch = client.batches.retrieve(ids["batch"])
    assert batch.output_file_id is not None
    answers = client.files.content(batch.output_file_id).text
    response = client.responses.retrieve(ids["response"]).output_text
    assert len(answers.splitlines()) == 3
    assert "It works!" in response
    return {
        "upload text": client.files.content(ids["upload"]).text,
        "answers": answers,
        "response text": response,
        "weights text": server.execute("cat", ids["weights"]).stdout,
    }


def _as_input() -> Any:
    """The first request, as /v1/responses takes it."""
    messages: Any = BODY["messages"]
    system, user = messages
    [part] = user["content"]
    return [system, {"role": "user", "content": [{"type": "input_image", "image_url": part["image_url"]["url"]}]}]
