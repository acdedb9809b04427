"""Real files of every format, damaged at random: each is read, or refused by an error that names it."""

import io
import os
import random
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage

import numpy as np
import pytest

from models.workers.pool import WorkerLimits, Workers
from tasks.errors import InputError
from tasks.inputs import media_types
from tasks.inputs.document import Document
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Blob, Origin, Source
from tests.e2e.test_inputs import READ, SIGN
from tests.kit.audio import recordings
from tests.kit.papers.outlook_files import message, msg_file

pytestmark = pytest.mark.deep
SECONDS = 120.0
"""For all formats together."""
TRIES = 100
"""For a format, where the same damage is wanted each time."""


def letter() -> bytes:
    made = EmailMessage()
    made["Subject"], made["From"] = SIGN, "ann@example.org"
    made.set_content(SIGN)
    made.add_attachment(READ[0].make(), "image", "png", filename="sign.png")
    return made.as_bytes()


def sound(extension: str) -> Callable[[], bytes]:
    beeps = recordings.beeps(1.0, [0.2, 0.6], channels=2)
    return lambda: recordings.encoded(beeps, extension)


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{kind.filename: (kind.media_type, kind.make) for kind in READ},
    "letter.eml": (media_types.EMAIL, letter),
    "letter.mbox": (media_types.MAILBOX, lambda: b"From ann@example.org Thu Jan  1 00:00:00 2026\n" + letter()),
    "letter.msg": (media_types.MSG, lambda: msg_file(message({"subject": SIGN, "body": SIGN}))),
    **{f"sound.{name}": (known[2], sound(name)) for name, known in recordings.AUDIO.items()},
}
"""Media types and makers by name."""


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A copy with some bytes changed, left out, repeated or cut off; of a ZIP, mostly those of what it holds."""
    if data[:2] == b"PK" and chance.random() < 0.8:
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            chosen = chance.choice([name for name in packed.namelist() if packed.read(name)])
            for name in packed.namelist():
                member = packed.read(name)
                made.writestr(name, damaged(member, chance) if name == chosen else member)
        return file.getvalue()
    made_of = bytearray(data)
    for _ in range(chance.choice([1, 2, 5, 20])):
        place = chance.randrange(len(made_of)) if made_of else 0
        # Heads say more than what follows them.
        place = place % 256 if chance.random() < 0.3 else place
        length = chance.choice([1, 2, 4, 64])
        match chance.randrange(6):
            case 0:
                made_of[place : place + length] = chance.randbytes(length)
            case 1:
                made_of[place : place + length] = chance.choice([b"\0", b"\xff", b"\x7f"]) * length
            case 2:
                del made_of[place : place + length]
            case 3:
                made_of[place:place] = made_of[place : place + length] * chance.choice([1, 3, 100])
            case 4:
                made_of[place : place + 1] = bytes([made_of[place] ^ 1 << chance.randrange(8)]) if made_of else b""
            case 5 if chance.random() < 0.1:
                del made_of[place:]
    return bytes(made_of)


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    workers = Workers(WorkerLimits(1, 1024 * MB, seconds=30.0, clock_factor=20))
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(image_pixels=20_000_000), workers)
    yield loader
    await loader.close()


async def read(loader: MediaLoader, data: bytes, media_type: str, name: str) -> None:
    """Opens a file as tasks do, and reads its text, and of its first pages the size, text, picture and codes; of a
    recording its sound."""
    if media_type.startswith("audio"):
        async with await loader.open_recording(Source(Origin("p"), data=data, filename=name)) as recording:
            async for block in recording.blocks():
                assert block.shape[0] == recording.channels
        return
    document: Document
    async with await loader.open_blob(Blob(data, media_type, name, "p")) as document:
        assert document.text is not None or document.total_pages > 0
        for number in range(1, min(document.total_pages, 2) + 1):
            (width, height), _ = await document.size_and_text(number)
            picture = await document.picture(number)
            assert picture.shape == (height, width, 3)
            assert picture.dtype == np.uint8
            await document.codes(number)


def seeds(name: str) -> Iterator[int]:
    """Seeds of damage to a file: others each time for as long as there is, or in CI the same few."""
    if os.environ.get("CI"):
        chance = random.Random(name)
        yield from (chance.getrandbits(32) for _ in range(TRIES))
        return
    deadline = time.monotonic() + SECONDS / len(FILES)
    while time.monotonic() < deadline:
        yield random.getrandbits(32)


@pytest.mark.parametrize("name", FILES)
async def test_a_damaged_file_is_read_or_refused(name: str, loader: MediaLoader) -> None:
    media_type, make = FILES[name]
    whole = make()
    await read(loader, whole, media_type, name)
    refused: list[InputError] = []
    for seed in seeds(name):
        try:
            await read(loader, damaged(whole, random.Random(seed)), media_type, name)
        except InputError as error:
            refused.append(error)
        except Exception as error:
            error.add_note(f"the damage of seed {seed}")
            raise
    assert {error.param for error in refused} <= {"p"}
    await read(loader, whole, media_type, name)
