"""/v1/files on a real server, as OpenAI's SDK and plain HTTP use it, and uploaded files in requests."""

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest

from tests.conftest import each_case
from tests.kit.papers.pages import single_line
from tests.kit.servers.server import Server, serving

KEY, OTHER = "test-key-1", "test-key-2"
MB = 1024 * 1024


@pytest.fixture(scope="module")
def files_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "files"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, files_dir: Path) -> Iterator[Server]:
    with serving(
        tmp_path_factory.mktemp("files") / "log",
        api_keys=f"{KEY},{OTHER}",
        files_dir=files_dir,
        max_file_mb=2,
        max_files_mb=3,
        files_ttl_hours=2,
        llm="off",
    ) as running:
        yield running


@pytest.fixture
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def other(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=OTHER, max_retries=0) as client:
        yield client


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=server.base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=60, trust_env=False
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_is_left(sdk: openai.OpenAI, files_dir: Path) -> Iterator[None]:
    yield
    for file in sdk.files.list():
        sdk.files.delete(file.id)
    assert stored_in(files_dir) == []


def stored_in(files_dir: Path) -> list[Path]:
    return [path for path in files_dir.rglob("*") if path.is_file()]


def ocr(client: openai.OpenAI, *parts: Any, text: str = "Read it.") -> dict[str, Any]:
    answer = client.chat.completions.create(
        model="interfaze-beta",
        messages=[
            {"role": "system", "content": "<task>ocr</task>"},
            {"role": "user", "content": [{"type": "text", "text": text}, *parts]},
        ],
    )
    result: dict[str, Any] = json.loads(answer.choices[0].message.content or "")["result"]
    return result


def test_a_file_is_uploaded_listed_retrieved_downloaded_and_deleted(sdk: openai.OpenAI) -> None:
    before = int(time.time())
    file = sdk.files.create(file=("häuser.txt", b"Three houses"), purpose="user_data")
    assert file.id.startswith("file-")
    assert (file.bytes, file.filename, file.purpose) == (12, "häuser.txt", "user_data")
    assert (file.object, file.status) == ("file", "processed")
    assert before <= file.created_at <= time.time()
    assert file.expires_at == pytest.approx(file.created_at + 2 * 3600, abs=1)
    assert [listed.id for listed in sdk.files.list()] == [file.id]
    assert sdk.files.retrieve(file.id) == file
    assert sdk.files.content(file.id).read() == b"Three houses"
    assert sdk.files.delete(file.id).deleted is True
    with pytest.raises(openai.NotFoundError) as refusal:
        sdk.files.retrieve(file.id)
    assert refusal.value.code == "file_not_found"


def test_an_uploaded_picture_is_read_by_its_id(sdk: openai.OpenAI) -> None:
    picture = single_line("uploaded once").encoded()
    file = sdk.files.create(file=("line.png", picture), purpose="vision")
    for part in (
        {"type": "file", "file": {"file_id": file.id}},
        {"type": "input_file", "file_id": file.id},
        {"type": "input_image", "file_id": file.id},
    ):
        assert ocr(sdk, part)["extracted_text"] == "uploaded once"


def test_another_keys_file_is_no_file(sdk: openai.OpenAI, other: openai.OpenAI) -> None:
    file = sdk.files.create(file=("a.txt", b"mine"), purpose="user_data")
    assert list(other.files.list()) == []
    for call in (other.files.retrieve, other.files.content, other.files.delete):
        with pytest.raises(openai.NotFoundError):
            call(file.id)
    with pytest.raises(openai.BadRequestError) as refusal:
        ocr(other, {"type": "file", "file": {"file_id": file.id}})
    assert (refusal.value.code, refusal.value.param) == ("file_not_found", "messages[1].content[1].file.file_id")


def test_a_download_is_nothing_that_a_browser_runs(client: httpx.Client) -> None:
    name = "a\u201d; filename=evil.html.svg"
    upload = {"file": (name, b"<svg onload='alert(1)'/>")}
    file_id = client.post("/v1/files", files=upload, data={"purpose": "user_data"}).json()["id"]
    headers = client.get(f"/v1/files/{file_id}/content").headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''a%E2%80%9D%3B%20filename%3Devil.html.svg"


@each_case(
    ("fields", "param"),
    [
        ({"purpose": "world-domination"}, "purpose"),
        ({"purpose": "vision", "expires_after[seconds]": "5"}, "expires_after[seconds]"),
        ({"purpose": ["vision", "batch"]}, "purpose"),
    ],
)
def test_a_wrong_field_is_named(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    response = client.post("/v1/files", files={"file": ("a.txt", b"x")}, data=fields)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


def test_an_upload_of_which_nothing_may_be_kept_is_refused(client: httpx.Client) -> None:
    response = client.post(
        "/v1/files",
        files={"file": ("a.txt", b"x")},
        data={"purpose": "vision"},
        headers={"x-interfaze-zdr": "true"},
    )
    assert response.status_code == 400
    assert "x-interfaze-zdr" in response.json()["error"]["message"]


def test_a_large_body_takes_four_times_its_size_at_most(server: Server, client: httpx.Client) -> None:
    """The body has base64 whose signs are escaped as .NET does it."""

    def body_of(size: int) -> bytes:
        noise = b"\0" + os.urandom(size)  # of no type, so that no process gets a copy to decode
        part = {"type": "file", "file": {"file_data": base64.b64encode(noise).decode(), "filename": "noise"}}
        message = {"role": "user", "content": [part]}
        task = {"role": "system", "content": "<task>ocr</task>"}
        return json.dumps({"model": "auto", "messages": [task, message]}).encode().replace(b"+", b"\\u002B")

    body = body_of(19 * MB)
    process = psutil.Process(server.process.pid)
    # What the first of its kind imports is none of a body's.
    assert client.post("/v1/chat/completions", content=body_of(MB)).status_code == 400
    before = process.memory_info().rss
    peaks = []
    for _ in range(4):  # what one request read is free again for the next
        forget_peak(process)
        assert client.post("/v1/chat/completions", content=body).status_code == 400
        peaks.append(peak_rss(process))
    # On a busy machine, a thread may let go of an earlier body only after the next has come, and the allocator keeps
    # some megabytes more or less. One more copy, even of the decoded file, would be 0.7 of the body.
    assert sorted(peaks)[1] - before < 4.2 * len(body)


def forget_peak(process: psutil.Process) -> None:
    peak = Path(f"/proc/{process.pid}/clear_refs")
    if not peak.exists():
        pytest.skip("only Linux tells the peak")
    peak.write_text("5")


def peak_rss(process: psutil.Process) -> int:
    """Bytes, at any time since `forget_peak`."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
