"""Messages between processes: whole, however they are sized and wherever there is no memfd."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from models.vision.text import TextLine, Word
from tasks.inputs.decode.channel import Channel
from tasks.inputs.limits import MB
from tasks.inputs.pages import TextLayer
from tasks.inputs.source import Blob

QUAD = ((0.0, 0.0), (9.5, 0.0), (9.5, 4.0), (0.0, 4.0))


@pytest.fixture(params=["memfd", "unlinked file"])
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Channel, Channel]]:
    if request.param == "unlinked file":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("this system has no memfd")
    one, other = map(Channel, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def through(ends: tuple[Channel, Channel], message: object) -> object:
    sending = threading.Thread(target=ends[0].send, args=(message,))
    sending.start()
    received = ends[1].receive()
    sending.join()
    return received


@pytest.mark.deep
@pytest.mark.parametrize("sizes", [(1, MB, 2 * MB + 7, MB), (40 * MB, MB, 40 * MB + 1)])
def test_arrays_of_any_size_in_any_order(ends: tuple[Channel, Channel], sizes: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    for size in sizes:
        arrays = [random.integers(0, 255, size, np.uint8), random.random((3, size // 24), np.float32)]
        received = through(ends, arrays)
        assert isinstance(received, list)
        for sent, array in zip(arrays, received, strict=True):
            assert np.array_equal(sent, array)
            assert array.flags.writeable
            assert array.flags.aligned


def test_a_long_message_without_arrays(ends: tuple[Channel, Channel]) -> None:
    text = "ä" * (5 * MB)
    assert through(ends, text) == text


def test_an_array_whose_rows_are_apart_is_copied_together(ends: tuple[Channel, Channel]) -> None:
    wide = np.arange(4 * MB, dtype=np.uint8).reshape(2048, 2048)[:, :1024]
    received = through(ends, wide)
    assert isinstance(received, np.ndarray)
    assert np.array_equal(received, wide)


def test_a_blob_and_the_words_of_a_page_are_what_they_were(ends: tuple[Channel, Channel]) -> None:
    blob = Blob(bytes(range(256)) * 4096, "application/pdf", "a.pdf", "p", None)
    layer = TextLayer((TextLine((Word("word", QUAD, 1.0),), QUAD),), complete=True)
    assert through(ends, (blob, layer)) == (blob, layer)


def test_both_ends_send(ends: tuple[Channel, Channel]) -> None:
    for size in (MB, 3 * MB, 2 * MB):
        array = np.arange(size, dtype=np.uint8)
        for way in (ends, ends[::-1]):
            received = through((way[0], way[1]), array)
            assert np.array_equal(np.asarray(received), array)


def test_an_end_that_is_closed_is_told_from_one_that_is_slow(ends: tuple[Channel, Channel]) -> None:
    with pytest.raises(TimeoutError):
        ends[1].receive(deadline=time.monotonic() + 0.01)
    ends[0].close()
    with pytest.raises(EOFError):
        ends[1].receive()
