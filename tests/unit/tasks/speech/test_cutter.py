"""Cutting a stream of sound into stretches: at pauses, never losing or doubling a frame of speech."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.speech.transcriber import LONGEST_S, RATE
from models.speech.voice_activity import FRAME, FRAME_S
from tasks.speech.cutter import Cutter, Stretch, speech_runs

Spans = Sequence[tuple[float, float]]


def frames_of(speech: Spans, seconds: float) -> NDArray[np.float32]:
    """How likely speech is in each frame, where it is between these seconds."""
    times = np.arange(round(seconds / FRAME_S)) * FRAME_S
    speaks = np.zeros(len(times), np.float32)
    for start, end in speech:
        speaks[(times >= start) & (times < end)] = 0.95
    return speaks


def cut(speech: Spans, seconds: float, length_s: float = 15.0, block_s: float = 30.0) -> list[Stretch]:
    """The samples count up, so that a test sees where a stretch was taken from."""
    speaks = frames_of(speech, seconds)
    samples = np.arange(len(speaks) * FRAME, dtype=np.float32)
    cutter, step = Cutter(length_s), round(block_s / FRAME_S)

    def stretches() -> Iterator[Stretch]:
        for first in range(0, len(speaks), step):
            yield from cutter.add(samples[first * FRAME : (first + step) * FRAME], speaks[first : first + step])
        yield from cutter.finish()

    return list(stretches())


def test_a_short_remark_is_one_stretch_with_a_margin_of_silence() -> None:
    [stretch] = cut([(4.0, 6.0)], 10)
    assert stretch.start == pytest.approx(4.0 - 0.32, abs=0.04)
    assert stretch.end == pytest.approx(6.0 + 0.32, abs=0.04)
    [spoken] = stretch.speech
    assert spoken == pytest.approx((4.0, 6.0), abs=0.04)


def test_a_long_pause_ends_a_stretch() -> None:
    assert len(cut([(1.0, 3.0), (6.0, 8.0)], 10)) == 2
    assert len(cut([(1.0, 3.0), (4.0, 6.0)], 10)) == 1


def test_a_stretch_that_grows_too_long_ends_at_its_longest_pause() -> None:
    first, second = cut([(1.0, 8.0), (8.2, 10.0), (10.8, 13.0), (13.3, 22.0)], 24)
    assert first.end == pytest.approx(10.32, abs=0.1)
    assert second.start == pytest.approx(10.48, abs=0.1)


def test_speech_without_a_pause_is_cut_with_an_overlap() -> None:
    stretches = cut([(0.5, 100.0)], 101)
    assert len(stretches) > 3
    assert stretches[0].cut is None
    for before, after in itertools.pairwise(stretches):
        assert after.cut is not None
        assert before.end == pytest.approx(after.cut + 1.0, abs=0.05)
        assert after.start == pytest.approx(after.cut - 1.0, abs=0.05)


def test_a_cut_in_speech_is_where_it_is_quietest() -> None:
    seconds = 40
    speaks = frames_of([(0.0, seconds)], seconds)
    samples = np.full(len(speaks) * FRAME, 0.5, np.float32)
    samples[round(23.0 * RATE) : round(23.2 * RATE)] = 0.01
    first, *_ = [*(cutter := Cutter(15.0)).add(samples, speaks), *cutter.finish()]
    assert first.end == pytest.approx(23.1 + 1.0, abs=0.15)


@pytest.mark.parametrize("block_s", [0.5, 7.0, 30.0])
@pytest.mark.parametrize("length_s", [15.0, 30.0])
def test_nothing_said_is_lost_or_doubled_however_the_sound_arrives(block_s: float, length_s: float) -> None:
    rng = np.random.default_rng(3)
    edges = np.cumsum(rng.choice([0.3, 0.6, 1.5, 4.0, 9.0, 45.0], 60))
    speech = list(zip(edges[::2], edges[1::2], strict=True))
    stretches = cut(speech, float(edges[-1]) + 1, length_s, block_s)
    speaks = speech_runs(frames_of(speech, float(edges[-1]) + 1))
    covered = np.zeros(round(edges[-1] / FRAME_S) + 40, int)
    for stretch in stretches:
        assert len(stretch.samples) <= LONGEST_S * RATE
        begin = stretch.start if stretch.cut is None else stretch.cut
        following = stretches.index(stretch) + 1
        end = stretch.end
        if following < len(stretches) and (next_cut := stretches[following].cut) is not None:
            end = next_cut
        covered[round(begin / FRAME_S) : round(end / FRAME_S)] += 1
    for first, last in speaks:
        assert np.all(covered[first:last] == 1)


def test_a_click_is_no_speech_and_a_breath_no_pause() -> None:
    speaks = np.array([0, 0.9, 0.9, 0, 0, 0, 0, 0, 0.9, 0.9, 0.9, 0, 0, 0.9, 0.4, 0.9, 0, 0], np.float32)
    assert speech_runs(speaks) == [(8, 16)]
