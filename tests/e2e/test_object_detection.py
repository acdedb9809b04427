"""Objects in real photos, as a client of a real server asks for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import api_client, data_url
from tests.kit.audio.recordings import filmed
from tests.kit.pictures.photos import BUS, box_of, iou, photo
from tests.kit.servers.server import Server


@pytest.fixture
def client(open_server: Server, shared: Path) -> Iterator[httpx.Client]:
    with api_client(open_server) as client:
        yield client


def body(*pictures: bytes, text: str = "Detect all objects.") -> dict[str, Any]:
    images = [{"type": "image_url", "image_url": {"url": data_url(picture, "image/jpeg")}} for picture in pictures]
    return {
        "model": "interfaze-beta",
        "messages": [
            {"role": "system", "content": "<task>object_detection</task>"},
            {"role": "user", "content": [{"type": "text", "text": text}, *images]},
        ],
    }


def ask(client: httpx.Client, *pictures: bytes, text: str = "Detect all objects.") -> httpx.Response:
    return client.post("/v1/chat/completions", json=body(*pictures, text=text))


def objects(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    answer = response.json()
    assert "precontext" not in answer
    content = json.loads(answer["choices"][0]["message"]["content"])
    assert content["name"] == "object_detection"
    found: list[Any] = content["result"]["detected_objects"]
    return found


def sample(shared: Path, name: str) -> bytes:
    return (shared / "samples" / f"photo_{name}.jpg").read_bytes()


def test_the_bus_is_found_where_it_is(client: httpx.Client, shared: Path) -> None:
    [bus] = objects(ask(client, sample(shared, "bus")))
    assert list(bus) == ["label", "bounds", "confidence"]
    assert bus["label"] == "bus"
    assert 0.9 < bus["confidence"] <= 1
    assert iou(BUS, box_of(bus)) >= 0.7


def test_objects_of_a_video_have_the_time_of_their_frame(client: httpx.Client, shared: Path) -> None:
    film = filmed([photo(shared, "bus"), photo(shared, "people")], "mp4", frames_each=100, key_every=25)
    request = body(text="Detect all objects.")
    part = {"type": "file", "file": {"file_data": data_url(film, "video/mp4"), "filename": "film.mp4"}}
    request["messages"][1]["content"].append(part)
    found = objects(client.post("/v1/chat/completions", json=request))
    assert {(one["label"], one["timestamp"] < 4) for one in found} == {("bus", True), ("person", False)}
    assert all("page" not in one and 0 <= one["timestamp"] <= 8 for one in found)
    times = [one["timestamp"] for one in found]
    assert times == sorted(times)


def error(response: httpx.Response) -> tuple[int, str, str]:
    problem = response.json()["error"]
    return response.status_code, problem["code"], problem["message"]


def test_a_request_without_a_picture_is_refused(client: httpx.Client) -> None:
    status, code, message = error(ask(client))
    assert (status, code) == (400, "invalid_request")
    assert "'object_detection' needs an image, a PDF or a video" in message
