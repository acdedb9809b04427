"""Every type, and every way in: a real server, real files, and the words that must come out."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import PIL.Image
import pillow_heif
import pytest

from tests.e2e.conftest import api_client
from tests.kit.audio import recordings
from tests.kit.audio.recordings import VIDEO, Samples
from tests.kit.internet.origin import Origin
from tests.kit.papers import office_files
from tests.kit.papers.pages import single_line
from tests.kit.papers.pdfs import pdf_of_pages
from tests.kit.servers.server import Server

SIGN = "Platform nine"
SPOKEN = "my fellow Americans"
SAMPLE_S = (0.0, 4.0)
"""Where those words are in the sample recording."""


@pytest.fixture(scope="module")
def client(open_server: Server) -> Iterator[httpx.Client]:
    with api_client(open_server) as client:
        yield client


@dataclass(frozen=True)
class Kind:
    filename: str
    media_type: str
    make: Callable[[], bytes]
    words: str = SIGN

    def __str__(self) -> str:
        return self.filename


@cache
def _sign() -> PIL.Image.Image:
    return single_line(SIGN).image.convert("RGB")


def _picture(codec: str) -> Callable[[], bytes]:
    def make() -> bytes:
        file = io.BytesIO()
        if codec == "HEIF":
            pillow_heif.from_pillow(_sign()).save(file)
        else:
            _sign().save(file, codec)
        return file.getvalue()

    return make


def _film(extension: str) -> Callable[[], bytes]:
    """In the size of 3gp's encoder, which knows few."""

    def make() -> bytes:
        page = PIL.Image.new("RGB", (704, 576), "white")
        page.paste(_sign(), (40, 200))
        return recordings.filmed([np.asarray(page)], extension, frames_each=2)

    return make


def _letter(words: str) -> bytes:
    def fill(document: Any) -> None:
        document.add_heading(words)

    return office_files.document(fill)


def _talk(words: str) -> bytes:
    def fill(presentation: Any) -> None:
        presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = words

    return office_files.slides(fill)


def _book(words: str) -> bytes:
    def fill(book: Any) -> None:
        book.active["A1"] = words

    return office_files.workbook(fill)


def _text(pattern: str, encoding: str = "utf-8") -> Callable[[], bytes]:
    return lambda: pattern.replace("WORDS", SIGN).encode(encoding)


OFFICE = "application/vnd.openxmlformats-officedocument"
READ = (
    *(
        Kind(f"sign.{extension}", f"image/{kind}", _picture(codec))
        for extension, kind, codec in (
            ("png", "png", "PNG"),
            ("jpg", "jpeg", "JPEG"),
            ("webp", "webp", "WEBP"),
            ("bmp", "bmp", "BMP"),
            ("tiff", "tiff", "TIFF"),
            ("heic", "heic", "HEIF"),
        )
    ),
    Kind("pages.pdf", "application/pdf", lambda: pdf_of_pages(2), "This is page 2"),
    Kind("letter.docx", f"{OFFICE}.wordprocessingml.document", lambda: _letter(SIGN)),
    Kind("talk.pptx", f"{OFFICE}.presentationml.presentation", lambda: _talk(SIGN)),
    Kind("book.xlsx", f"{OFFICE}.spreadsheetml.sheet", lambda: _book(SIGN)),
    Kind("page.html", "text/html", _text("<!DOCTYPE html><title>t</title><p>WORDS</p>")),
    Kind("data.json", "application/json", _text('{"sign": "WORDS"}')),
    Kind("data.xml", "application/xml", _text('<?xml version="1.0"?><sign>WORDS</sign>')),
    Kind("data.yaml", "application/yaml", _text("sign: WORDS\n")),
    Kind("table.csv", "text/csv", _text("sign,track\nWORDS,9\n")),
    Kind("table.tsv", "text/tab-separated-values", _text("sign\ttrack\nWORDS\t9\n")),
    Kind("notes.md", "text/markdown", _text("# WORDS\n")),
    Kind("plain.txt", "text/plain", _text("WORDS")),
    Kind("wide.txt", "text/plain", _text("WORDS", "utf-16")),
    *(Kind(f"film.{extension}", VIDEO[extension][3], _film(extension)) for extension in VIDEO),
)

Body = dict[str, Any]
Way = Callable[[Kind, bytes, Origin, httpx.Client], list[Body] | str]
"""From a file to the content of a user message that brings it."""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _data_url(kind: Kind, data: bytes) -> str:
    return f"data:{kind.media_type};base64,{_base64(data)}"


def _file(**file: str) -> list[Body]:
    return [{"type": "file", "file": file}]


def _link(kind: Kind, data: bytes, origin: Origin) -> str:
    origin.files[f"/{kind.filename}"] = data
    return origin.url(f"/{kind.filename}")


def _uploaded(kind: Kind, data: bytes, _: Origin, client: httpx.Client) -> list[Body]:
    form = {"file": (kind.filename, data)}
    uploaded = client.post("/v1/files", files=form, data={"purpose": "user_data"})
    assert uploaded.status_code == 200, uploaded.text
    return _file(file_id=uploaded.json()["id"])


WAYS: dict[str, Way] = {
    "a data URL in an image part": lambda kind, data, *_: [
        {"type": "image_url", "image_url": {"url": _data_url(kind, data)}}
    ],
    "a data URL in a file part": lambda kind, data, *_: _file(file_data=_data_url(kind, data)),
    "base64 with a filename": lambda kind, data, *_: _file(file_data=_base64(data), filename=kind.filename),
    "base64 with a format": lambda kind, data, *_: _file(file_data=_base64(data), format=kind.media_type),
    "a URL in a file part": lambda kind, data, origin, _: _file(file_data=_link(kind, data, origin)),
    "a URL in a part of its own": lambda kind, data, origin, _: [
        {"type": "file_url", "file_url": _link(kind, data, origin)}
    ],
    "a URL in the text": lambda kind, data, origin, _: f"What is this: {_link(kind, data, origin)}?",
    "an uploaded file": _uploaded,
}


def _result(client: httpx.Client, task: str, content: list[Body] | str) -> Body:
    messages = [{"role": "system", "content": f"<task>{task}</task>"}, {"role": "user", "content": content}]
    response = client.post("/v1/chat/completions", json={"model": "interfaze-beta", "messages": messages})
    assert response.status_code == 200, response.text
    result: Body = json.loads(response.json()["choices"][0]["message"]["content"])["result"]
    return result


@pytest.mark.deep
@pytest.mark.parametrize("kind", READ, ids=str)
def test_every_type_of_file_is_read(kind: Kind, client: httpx.Client) -> None:
    content = _file(file_data=_data_url(kind, kind.make()))
    assert kind.words in _result(client, "ocr", content)["extracted_text"]


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_is_read_whichever_way_it_comes(way: str, client: httpx.Client, origin: Origin) -> None:
    content = WAYS[way](READ[0], READ[0].make(), origin, client)
    assert SIGN in _result(client, "ocr", content)["extracted_text"]


HEARD: dict[str, Way] = {
    "base64 in an audio part": lambda kind, data, *_: [
        {"type": "input_audio", "input_audio": {"data": _base64(data), "format": kind.filename.rpartition(".")[2]}}
    ],
    "a data URL in an audio part": lambda kind, data, *_: [
        {"type": "input_audio", "input_audio": {"data": _data_url(kind, data)}}
    ],
    "a URL in an audio part": lambda kind, data, origin, _: [
        {"type": "input_audio", "input_audio": {"data": _link(kind, data, origin)}}
    ],
    "an audio URL": lambda kind, data, origin, _: [
        {"type": "audio_url", "audio_url": {"url": _link(kind, data, origin)}}
    ],
    "a video URL": lambda kind, data, origin, _: [
        {"type": "video_url", "video_url": {"url": _link(kind, data, origin)}}
    ],
}
SOUNDS = tuple(Kind(f"speech.{extension}", known[2], bytes) for extension, known in recordings.AUDIO.items())


@cache
def _spoken(sample: Path) -> Samples:
    """The beginning of the sample, at the rate of the encoders."""
    resampler = av.AudioResampler("fltp", "mono", recordings.RATE)
    with av.open(sample) as container:
        frames = [frame for decoded in container.decode(audio=0) for frame in resampler.resample(decoded)]
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    first, last = (round(second * recordings.RATE) for second in SAMPLE_S)
    return samples[:, first:last]


@pytest.mark.deep
@pytest.mark.parametrize("kind", SOUNDS, ids=str)
def test_speech_is_heard_in_every_type_of_recording(kind: Kind, client: httpx.Client, shared: Path) -> None:
    extension = kind.filename.rpartition(".")[2]
    mono = _spoken(shared / "samples" / "speech_jfk.flac")
    # FFmpeg's own Vorbis encoder writes two channels only.
    data = recordings.encoded(mono if extension != "ogg" else np.repeat(mono, 2, axis=0), extension)
    content = _file(file_data=_data_url(kind, data))
    assert SPOKEN in _result(client, "speech_to_text", content)["text"]


@pytest.mark.parametrize("way", HEARD)
def test_speech_is_heard_whichever_way_it_comes(way: str, client: httpx.Client, origin: Origin, shared: Path) -> None:
    kind = Kind("speech.mp3", "audio/mpeg", bytes)
    data = recordings.encoded(_spoken(shared / "samples" / "speech_jfk.flac"), "mp3")
    assert SPOKEN in _result(client, "stt", HEARD[way](kind, data, origin, client))["text"]
