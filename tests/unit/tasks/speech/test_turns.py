"""Phrases that are told while a recording is still listened to: those of the transcript, in its order."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.speech.transcriber import RATE, SpokenWord
from tasks.speech.cutter import Stretch, Window
from tasks.speech.listening import Heard, HeardStretch
from tasks.speech.phrases import Phrase, phrases
from tasks.speech.turns import PhraseEmitter

OVERLAP_S = 1.0


def piece(
    words: Sequence[SpokenWord], start: float, end: float, *, cut: float | None, channel: int | None
) -> HeardStretch:
    samples = np.empty(round((end - start) * RATE), np.float32)
    return HeardStretch(Stretch(samples, start, (), cut, channel), words, Window(start, 0.0, -0.1, 1.2))


@st.composite
def words(draw: st.DrawFn) -> list[SpokenWord]:
    """Up to a minute or so; sentences, commas, pauses and shreds."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0.0, 0.1, 0.5, 0.8, 3.0]),
                st.sampled_from([0.05, 0.3, 1.0]),
                st.sampled_from(["so", "so.", "so,", "Mr."]),
                st.floats(0.1, 1.0),
            ),
            max_size=60,
        )
    )
    ends = accumulate(gap + length for gap, length, _, _ in steps)
    return [
        SpokenWord(f" {text}", round(end - length, 3), round(end, 3), probability)
        for end, (_, length, text, probability) in zip(ends, steps, strict=True)
    ]


@st.composite
def pieces(draw: st.DrawFn, channel: int | None) -> list[HeardStretch]:
    """The words of one channel by stretches that end in a pause, or overlap in mid-speech, where both hear the same
    words, or the second one mishears."""
    said = draw(words())
    found: list[HeardStretch] = []
    begin, cut = 0, None
    while begin < len(said):
        end = min(len(said), begin + draw(st.integers(1, 20)))
        is_cut = end < len(said) and draw(st.booleans())
        start = said[begin].start if cut is None else cut - OVERLAP_S
        until = said[end - 1].end
        heard = [word for word in said[:end] if word.start >= start]
        if cut is not None and draw(st.booleans()):
            heard = [SpokenWord(f"{word.text}x", word.start, word.end, 0.5) for word in heard]
        found.append(piece(heard, start, max(until, start), cut=cut, channel=channel))
        begin, cut = end, until - OVERLAP_S if is_cut else None
    return found


def in_turn(draw: st.DataObject, *channels: list[HeardStretch]) -> list[HeardStretch]:
    """One after the other, each channel in its order, with as much known of the next as there can be."""
    left = [list(channel) for channel in channels if channel]
    found: list[HeardStretch] = []
    while left:
        channel = draw.draw(st.sampled_from(left))
        found.append(channel.pop(0))
        left = [pieces for pieces in left if pieces]
    starts = [one.stretch.start for one in found]
    for number, one in enumerate(found):
        object.__setattr__(one.stretch, "next_start", min(starts[number + 1 :], default=float("inf")))
    return found


def told_of(sequence: Sequence[HeardStretch]) -> tuple[list[Phrase], list[Phrase], int]:
    """What is told; what the transcript says; and how much of it was told before the end."""
    found: list[Phrase] = []
    teller = PhraseEmitter(found.append)
    heard = Heard()
    for one in sequence:
        heard.add(one)
        teller.add(one.stretch, heard.tracks.get(one.stretch.channel, []))
    early = len(found)
    teller.finish()
    whole = [phrase for track in heard.tracks.values() for phrase in phrases(track)]
    return found, sorted(whole, key=lambda phrase: phrase.place), early


@given(st.data(), pieces(None))
def test_what_is_told_is_the_transcript(data: st.DataObject, mono: list[HeardStretch]) -> None:
    found, whole, _ = told_of(in_turn(data, mono))
    assert found == whole


@given(st.data(), pieces(0), pieces(1))
def test_two_channels_are_told_in_the_order_of_speech(
    data: st.DataObject, first: list[HeardStretch], second: list[HeardStretch]
) -> None:
    found, whole, _ = told_of(in_turn(data, first, second))
    assert [phrase.place for phrase in found] == [phrase.place for phrase in whole]
    assert sorted(map(repr, found)) == sorted(map(repr, whole))


def minute() -> list[HeardStretch]:
    said = [SpokenWord(" So.", start, start + 0.5, 0.9) for start in np.arange(0.0, 60.0, 1.0).tolist()]
    parts = [said[at : at + 15] for at in range(0, 60, 15)]
    found = [piece(part, part[0].start, part[-1].end, cut=None, channel=None) for part in parts]
    for one, following in pairwise(found):
        object.__setattr__(one.stretch, "next_start", following.stretch.start)
    return found


def test_phrases_are_told_before_the_end() -> None:
    found, _, early = told_of(minute())
    assert len(found) == 60
    assert early >= 40
