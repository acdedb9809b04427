"""From a source to a document, through the loader that requests use."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from reportlab.pdfgen.canvas import Canvas

from models.workers.pool import WorkerLimits, Workers
from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import Blob, MediaLoader
from tasks.inputs.source import Origin, Source
from tests.hostile import jpeg_of_scans


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy(allow=("127.0.0.1",))), MediaLimits(part_bytes=1_000_000))
    yield loader
    await loader.close()


def sent(data: bytes, filename: str | None = None, declared: str | None = None) -> Source:
    return Source(Origin("p"), payload=base64.b64encode(data).decode(), filename=filename, format=declared)


def encoded(codec: str, pages: int = 1) -> bytes:
    buffer = io.BytesIO()
    picture = PIL.Image.new("RGB", (40, 20), "red")
    options = {"save_all": True, "append_images": [picture] * (pages - 1)} if pages > 1 else {}
    picture.save(buffer, codec, **options)
    return buffer.getvalue()


def pdf(pages: int = 1) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(200, 100))
    for number in range(1, pages + 1):
        canvas.drawString(20, 50, f"page {number}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


async def error_of(loader: MediaLoader, source: Source) -> InputError:
    with pytest.raises(InputError) as caught:
        await loader.open(source)
    assert caught.value.param == "p"
    return caught.value


async def test_a_receipt_is_a_picture(loader: MediaLoader, shared: Path) -> None:
    data = (shared / "samples" / "receipt_000.jpg").read_bytes()
    async with await loader.open(sent(data)) as document:
        assert (document.kind, document.media_type, document.total_pages) == ("image", "image/jpeg", 1)
        width, height = await document.size(1)
        assert (await document.picture(1)).shape == (height, width, 3)
        assert not (await document.text_layer(1)).complete


async def test_a_pdf_is_paged(loader: MediaLoader) -> None:
    async with await loader.open(sent(pdf(3))) as document:
        assert (document.kind, document.media_type, document.total_pages) == ("paged", "application/pdf", 3)
        assert await document.size(2) == (400, 200)
        assert (await document.text_layer(3)).lines[0].text == "page 3"


async def test_a_pdf_of_one_page_is_paged_too(loader: MediaLoader) -> None:
    async with await loader.open(sent(pdf(1))) as document:
        assert document.kind == "paged"


@pytest.mark.parametrize(("pages", "kind"), [(1, "image"), (2, "paged")])
async def test_a_tiff_is_what_it_holds(loader: MediaLoader, pages: int, kind: str) -> None:
    async with await loader.open(sent(encoded("TIFF", pages))) as document:
        assert (document.kind, document.total_pages) == (kind, pages)


@pytest.mark.parametrize(
    ("filename", "media_type"),
    [
        ("a.csv", "text/csv"),
        ("a.md", "text/markdown"),
        ("a.yml", "application/yaml"),
        ("a", "text/plain"),
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
    "source",
    [
        Source(
            Origin("p"),
            payload="data:image/jpeg;base64," + base64.b64encode(encoded("PNG")).decode(),
            filename="a.pdf",
        ),
        Source(Origin("p"), payload=base64.b64encode(encoded("PNG")).decode(), format="pdf"),
    ],
)
async def test_what_the_bytes_are_wins(loader: MediaLoader, source: Source) -> None:
    assert (await loader.load(source)).media_type == "image/png"


@pytest.mark.parametrize(
    ("source", "media_type"),
    [
        (Source(Origin("p"), payload="data:text/csv,a", format="md", filename="a.json"), "text/csv"),
        (Source(Origin("p"), payload="data:,a", format="md", filename="a.json"), "text/markdown"),
        (Source(Origin("p"), payload="data:,a", filename="a.json"), "application/json"),
    ],
)
async def test_a_data_url_wins_over_format_and_format_over_name(
    loader: MediaLoader, source: Source, media_type: str
) -> None:
    assert (await loader.load(source)).media_type == media_type


@pytest.mark.parametrize("text", ["This mentions %PDF-1.7 first", "ID3 is a tag", "OggS is a pattern", "The ftyp box"])
async def test_what_is_called_text_and_reads_like_it_is_text(loader: MediaLoader, text: str) -> None:
    source = Source(Origin("p"), payload=base64.b64encode(text.encode()).decode(), filename="a.txt")
    async with await loader.open(source) as document:
        assert document.text == text


async def test_a_declared_charset_reaches_the_text(loader: MediaLoader) -> None:
    source = Source(Origin("p"), payload="data:text/plain;charset=windows-1251,%F6%E5%ED%E0")
    async with await loader.open(source) as document:
        assert document.text == "цена"


@pytest.mark.parametrize(
    "source",
    [Source(Origin("p"), payload="data:image/png;base64,"), Source(Origin("p"), payload="data:,", filename="a.png")],
)
async def test_nothing_is_named_as_such(loader: MediaLoader, source: Source) -> None:
    assert (await error_of(loader, source)).message == f"'{source.label}' is empty (0 bytes)."


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


@pytest.mark.parametrize("declared", ["image/png", "pdf", "image/jpeg"])
async def test_text_that_is_declared_as_a_document_is_damaged(loader: MediaLoader, declared: str) -> None:
    assert "damaged or incomplete" in (await error_of(loader, sent(b"hello", declared=declared))).message


async def test_a_part_above_the_limit_is_too_large(loader: MediaLoader) -> None:
    assert isinstance(await error_of(loader, sent(bytes(1_000_001))), InputTooLarge)


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


async def test_documents_of_many_callers_do_not_mix(loader: MediaLoader) -> None:
    """PDFium is not thread-safe: forty callers at once would show it."""

    async def read(number: int) -> str:
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=(200, 100))
        canvas.drawString(20, 50, f"caller {number}")
        canvas.save()
        async with await loader.open(sent(buffer.getvalue())) as document:
            await document.picture(1)
            return (await document.text_layer(1)).lines[0].text

    assert await asyncio.gather(*map(read, range(40))) == [f"caller {number}" for number in range(40)]


async def test_pages_of_one_document_can_be_read_side_by_side(loader: MediaLoader) -> None:
    async with await loader.open(sent(encoded("TIFF", 8))) as document:
        pictures = await asyncio.gather(*(document.picture(number) for number in range(1, 9)))
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


async def test_a_closed_document_says_so(loader: MediaLoader) -> None:
    document = await loader.open(sent(pdf()))
    await document.close()
    await document.close()
    with pytest.raises(RuntimeError, match="closed"):
        await document.picture(1)


@pytest.mark.deep
async def test_a_picture_whose_decoding_lasts_too_long_is_ended() -> None:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(), Workers(WorkerLimits(1, seconds=2, clock_factor=600)))
    async with await loader.open(sent(jpeg_of_scans(500, width=8000, height=8000))) as document:
        with pytest.raises(InputError, match="takes longer than 2 s") as caught:
            await document.picture(1)
    assert caught.value.code == "decode_failed"
    assert loader.workers.restarts["slow"] == 1
    await loader.close()


@pytest.mark.deep
async def test_two_loaders_share_pdfium_safely() -> None:
    loaders = [MediaLoader(Fetcher(FetchPolicy()), MediaLimits()) for _ in range(2)]

    async def read(loader: MediaLoader) -> Sequence[int]:
        async with await loader.open(sent(pdf(4))) as document:
            return [(await document.picture(number)).shape[0] for number in range(1, 5)]

    assert await asyncio.gather(*(read(loader) for loader in loaders * 5)) == [[200] * 4] * 10
    for loader in loaders:
        await loader.close()


async def test_a_document_can_be_closed_after_its_loader(loader: MediaLoader) -> None:
    document = await loader.open(sent(pdf()))
    await loader.close()
    await document.close()
