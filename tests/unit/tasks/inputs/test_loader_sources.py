"""Each source is read once, however often and by however many it is asked for."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader, Upload
from tasks.inputs.source import Origin, Source, Total
from tests.kit.internet.origin import Origin as Host
from tests.kit.internet.origin import serving_origin


@dataclass
class Shelf:
    """Uploaded files in memory, which counts how often they are read."""

    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    reads: int = 0

    async def find(self, owner: str, file_id: str) -> Upload | None:
        content = self.contents.get((owner, file_id))
        if content is None:
            return None
        return Upload(id=file_id, owner=owner, size=len(content), filename="notes.md", media_type="text/markdown")

    async def read(self, upload: Upload) -> bytes:
        self.reads += 1
        return self.contents[upload.owner, upload.id]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({("me", "file-1"): b"# Mine"})


@pytest.fixture
async def loader(shelf: Shelf) -> AsyncIterator[MediaLoader]:
    policy = FetchPolicy(allow=("127.0.0.1",))
    loader = MediaLoader(Fetcher(policy), MediaLimits(fetch_bytes=10_000), uploads=shelf)
    yield loader
    await loader.close()


@pytest.fixture
def origin() -> Iterator[Host]:
    with serving_origin() as origin:
        yield origin


async def test_a_url_is_fetched_once_for_all_who_ask(loader: MediaLoader, origin: Host) -> None:
    origin.files["/a.txt"] = b"hello"
    source = Source(Origin("p"), url=origin.url("/a.txt"))
    first, second = await asyncio.gather(loader.load(source), loader.load(source))
    del origin.files["/a.txt"]
    assert first is second is await loader.load(source)


@pytest.mark.parametrize(("owner", "file_id"), [("you", "file-1"), ("me", "file-2"), ("", "file-1")])
async def test_anothers_file_is_no_file(loader: MediaLoader, owner: str, file_id: str) -> None:
    with pytest.raises(InputError) as caught:
        await loader.load(Source(Origin("p"), file_id=file_id, owner=owner))
    assert (caught.value.code, caught.value.param) == ("file_not_found", "p")


async def test_all_sources_of_a_request_share_its_limit(loader: MediaLoader, origin: Host) -> None:
    origin.files["/a.txt"] = b"hello"
    total = Total(14)
    sources = [
        Source(Origin("a"), payload="aGVsbG8=", total=total),
        Source(Origin("b"), url=origin.url("/a.txt"), total=total),
        Source(Origin("c"), url=origin.url("/a.txt"), total=total),
    ]
    await loader.load(sources[0])
    await loader.load(sources[1])
    with pytest.raises(InputTooLarge, match=r"up to 'c', are more than .* together") as caught:
        await loader.load(sources[2])
    assert caught.value.code == "request_too_large"


async def test_a_file_that_does_not_fit_is_not_even_read(loader: MediaLoader, shelf: Shelf) -> None:
    with pytest.raises(InputTooLarge, match="together"):
        await loader.load(Source(Origin("p"), file_id="file-1", owner="me", total=Total(5)))
    assert shelf.reads == 0
