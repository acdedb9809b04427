"""What befalls a container: kills, a full memory, a full disk, a stop."""

import contextlib
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from openai.types import BatchRequestCounts
from PIL import Image

from tests.boxes.image.contents import begun, kept, made
from tests.boxes.image.installation import Installation, error, kill, until

QUICK = {"OPENFAZE_PRELOAD": ""}
"""Nothing is loaded ahead: a server is ready sooner."""
LINES = 400
"""Of a batch, so many that it is not done when the first of them is seen to be."""


def test_a_server_that_was_killed_comes_back_by_itself_and_has_lost_nothing(installation: Installation) -> None:
    installation.configure(**QUICK)
    installation.up()
    first = made(installation, "before")
    with installation.sdk() as client:
        batch = begun(client, [{"input": f"Milk, {number} eggs."} for number in range(LINES)])
        until("begun", lambda: bool(counts(client, batch.id).completed))
        killed = installation.server_pid()
        kill(killed)
        until("restarted", lambda: installation.inspected(".RestartCount") == "1", told=installation.logs)
        installation.wait_until_ready()
        assert installation.server_pid() != killed
        assert kept(installation, first) == first
        until("completed", lambda: client.batches.retrieve(batch.id).status == "completed", told=installation.logs)
        output = client.batches.retrieve(batch.id).output_file_id
        assert output is not None
        answered = [json.loads(line)["custom_id"] for line in client.files.content(output).text.splitlines()]
    assert sorted(answered, key=int) == [str(number) for number in range(LINES)]
    assert installation.reads() == "It works!"


def counts(client: openai.OpenAI, batch: str) -> BatchRequestCounts:
    found = client.batches.retrieve(batch).request_counts
    assert found is not None
    return found


def test_a_decode_process_that_is_killed_for_memory_costs_one_file_and_not_the_server(
    installation: Installation,
) -> None:
    # It may take more than the container has.
    installation.configure(
        MEMORY_LIMIT="1g",
        OPENFAZE_MAX_IMAGE_MEGAPIXELS=1000,
    )
    installation.up()
    server = installation.server_pid()
    assert installation.reads() == "It works!"
    with installation.client() as client:
        upload = client.post("/v1/files", files={"file": ("large.tiff", tiff(330))}, data={"purpose": "vision"})
        part = {"type": "file", "file": {"file_id": upload.json()["id"]}}
        system = {"role": "system", "content": "<task>ocr</task>"}
        body = {"model": "interfaze-beta", "messages": [system, {"role": "user", "content": [part]}]}
        status, message = error(client.post("/v1/chat/completions", json=body))
        assert (status, message.partition(":")[0]) == (400, "'large.tiff' cannot be decoded")
    # By signal 9, the kernel's, for it kept within its own limit.
    died = [line for line in installation.logs().splitlines() if '"decode_process_died"' in line]
    assert {json.loads(line)["status"] for line in died} == {-9}
    assert installation.reads() == "It works!"
    assert (installation.server_pid(), installation.inspected(".RestartCount")) == (server, "0")


def tiff(megapixels: int) -> bytes:
    """A white page of so many pixels, which is small as a file."""
    with Image.new("RGB", (30_000, megapixels * 1_000_000 // 30_000), "white") as page:
        file = io.BytesIO()
        page.save(file, "TIFF", compression="tiff_deflate")
    return file.getvalue()


@pytest.mark.parametrize("volume", ["files", "state"])
def test_a_full_volume_refuses_what_it_has_no_room_for_and_nothing_else(
    installation: Installation, volume: str
) -> None:
    installation.configure(**QUICK)
    with small_disk(installation.folder / "disk") as disk:
        options = {"type": "none", "device": str(disk), "o": "bind"}
        installation.add("disk.yml", json.dumps({"volumes": {volume: {"driver": "local", "driver_opts": options}}}))
        installation.up()
        _fills_and_empties(installation, volume)
        # What is mounted there must be free.
        installation.remove()


def _fills_and_empties(installation: Installation, volume: str) -> None:
    filler = f"/var/lib/openfaze/{volume}/filler"
    with installation.client() as client:
        assert _kept(client, volume).status_code == 200
        installation.execute("sh", "-c", f"cat /dev/zero > {filler}", check=False)
        # What is left of the pages that its database has may hold a few more.
        until("refused", lambda: _kept(client, volume).status_code != 200)
        refused = _kept(client, volume)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
        reason = "log says why" if volume == "state" else "no room for more uploads"
        assert reason in error(refused)[1]
        assert re.search("No space left on device|disk is full|disk_nearly_full", installation.logs())
        assert installation.reads() == "It works!"
        installation.execute("rm", filler)
        until("in use again", lambda: _kept(client, volume).status_code == 200, told=installation.logs)
    assert installation.inspected(".RestartCount") == "0"


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """One of 8 MB, for the container's user."""
    if os.getuid():
        pytest.skip("needs root, to mount a small disk")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,uid=10001,mode=0700", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _kept(client: httpx.Client, volume: str) -> httpx.Response:
    """The answer to a request for which something is written there."""
    line = {"custom_id": "one", "method": "POST", "url": "/v1/moderations", "body": {"input": "Milk."}}
    form = {"files": {"file": ("lines.jsonl", json.dumps(line))}, "data": {"purpose": "batch"}}
    upload = client.post("/v1/files", **form)  # type: ignore[arg-type]
    # The index of uploads is in the same database as batches.
    if volume == "files" or upload.status_code != 200:
        return upload
    batch = {"input_file_id": upload.json()["id"], "endpoint": "/v1/moderations", "completion_window": "24h"}
    return client.post("/v1/batches", json=batch)


def test_a_stop_ends_the_server_by_the_signal_that_asked_it_to(installation: Installation) -> None:
    """137 would say that it was killed, because it did not end in time."""
    installation.configure(**QUICK)
    installation.up()
    installation.compose("stop")
    assert installation.inspected(".State.ExitCode") == "143"
