"""From a source to a document, through the loader that requests use."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator

import PIL.Image
import pytest

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import Blob, MediaLoader
from tasks.inputs.source import Origin, Source


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy(allow=("127.0.0.1",))), MediaLimits(part_bytes=1_000_000))
    yield loader
    await loader.close()


def sent(data: bytes, filename: str | None = None, declared: str | None = None) -> Source:
    return Source(Origin("p"), payload=base64.b64encode(data).decode(), filename=filename, format=declared)


def encoded(codec: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (40, 20), "red").save(buffer, codec)
    return buffer.getvalue()


async def error_of(loader: MediaLoader, source: Source) -> InputError:
    with pytest.raises(InputError) as caught:
        await loader.open(source)
    assert caught.value.param == "p"
    return caught.value


@pytest.mark.parametrize(
    ("filename", "media_type"),
    [
        ("a.csv", "text/csv"),
        ("a.md", "text/markdown"),
        (None, "text/plain"),
    ],
)
async def test_text_is_of_the_type_that_its_name_says(
    loader: MediaLoader, filename: str | None, media_type: str
) -> None:
    async with await loader.open(sent("ä,b\n".encode(), filename)) as document:
        assert (document.kind, document.media_type, document.text) == ("text", media_type, "ä,b\n")
        assert document.total_pages == 0
        with pytest.raises(RuntimeError, match="has no pages"):
            await document.picture(1)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (encoded("GIF"), "image/gif"),
        (encoded("AVIF"), "image/avif"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
        (b"\0\1\2\3", "application/octet-stream"),
    ],
)
async def test_what_cannot_be_opened_is_loaded_but_named_when_opened(
    loader: MediaLoader, data: bytes, media_type: str
) -> None:
    source = sent(data, "a.png" if media_type.startswith("image") else None)
    assert (await loader.load(source)).media_type == media_type
    error = await error_of(loader, source)
    assert error.code == "unsupported_media_type"
    assert f"is {media_type}, which cannot be read as a document or image. Supported: jpeg, png" in error.message


async def test_a_fetched_file_has_its_name_and_type_from_the_url(loader: MediaLoader) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = "größer".encode("latin-1")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/csv; charset=iso-8859-1\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    blob = await loader.load(Source(Origin("p"), url=f"http://127.0.0.1:{port}/a/my%20table.csv?x=1"))
    server.close()
    assert blob == Blob("größer".encode("latin-1"), "text/csv", "my table.csv", "p", "iso-8859-1")
    assert (await loader.open_blob(blob)).text == "größer"
