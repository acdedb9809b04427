"""Subtitle files, to the byte."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire.audio import Cue, srt, vtt

CUES = [Cue(0.0, 1.5, "Good morning."), Cue(3599.999, 3725.04, " Who is there?", "A")]


def test_subrip_numbers_its_cues_and_has_commas_in_its_times() -> None:
    assert srt(CUES) == (
        "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\n\n2\n00:59:59,999 --> 01:02:05,040\n[A] Who is there?\n"
    )


def test_webvtt_has_a_head_points_in_its_times_and_voices() -> None:
    assert vtt(CUES) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood morning.\n\n00:59:59.999 --> 01:02:05.040\n<v A>Who is there?\n"
    )


def test_nothing_said_is_an_empty_file() -> None:
    assert (srt([]), vtt([])) == ("", "WEBVTT\n")


@pytest.mark.parametrize("text", ["a\n\nb", "a\r\n\r\n2\n00:00:00,000 --> 00:00:09,000\nb", "a\u2029b"])
def test_no_text_can_end_its_cue(text: str) -> None:
    assert srt([Cue(0, 1, text)]).count("\n\n") == 0
    assert vtt([Cue(0, 1, text)]).count("\n\n") == 1


def test_webvtt_text_is_no_markup() -> None:
    assert vtt([Cue(0, 1, "x --> <b>y</b> & z", "<i>")]).endswith(
        "\n<v &lt;i&gt;>x --&gt; &lt;b&gt;y&lt;/b&gt; &amp; z\n"
    )


@given(st.floats(0, 360_000))
def test_times_are_exact_to_the_millisecond(seconds: float) -> None:
    found = re.search(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) -->", srt([Cue(seconds, seconds, "x")]))
    assert found is not None
    hours, minutes, whole, milliseconds = map(int, found.groups())
    assert abs(hours * 3600 + minutes * 60 + whole + milliseconds / 1000 - seconds) < 0.00051
