"""Transcribes a recording as a stream: detects speech, cuts it into stretches, and runs an engine that returns timed
words. Overlapping stretches are joined, and silence is removed from the times of words."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.concurrency import call_off
from models.speech.transcriber import RATE, Samples, SpeechWindow, SpokenWord, Transcriber, WindowText
from models.speech.voice_activity import VoiceActivity
from tasks.inputs.av.audio import Recording
from tasks.speech.channels import FaintSpeech, are_apart
from tasks.speech.cutter import Cutter, Span, Stretch, Window, pooled
from tasks.speech.phrases import separator
from tasks.speech.speakers import SpeakerTurns
from tasks.speech.turns import PhraseEmitter
from tasks.wording.transcripts import SpeechOptions

_BLOCK_S = 30.0
_STRETCHES_AT_ONCE = 16
"""At most this many stretches of one recording wait or are transcribed at a time. While their language is needed but
not known, the limit is one. These stretches fill two batches on a CPU and take 30 MB at most."""
_LEAST_CERTAIN = 0.6
"""A detected language is used for the whole recording if its probability is at least this."""
_MARGIN_S = 0.3
_LEAST_MISSED_S = 0.5
"""Speech without words is transcribed a second time if it is at least this long, in seconds. Engines stop early if the
speaker or the subject changes, and omit speech between two pauses."""
_MOST_SECOND_LOOKS = 3
"""At most this many spans of a stretch, the longest ones, are transcribed a second time. A stretch of real speech
rarely has more than one such span; noise that resembles speech has many."""
_MAX_MEAN_DROP = 0.2
"""The words of a second attempt replace those of the first if the sum of their probabilities is greater, and the mean
of their probabilities does not fall by this much."""
_CLEAR_ENOUGH = 0.4
"""Words of a second attempt whose mean probability is more than this replace those of the first whenever the sum of
their probabilities is greater, even if their mean is much lower."""
_OVERLAP_S = 1.0
"""The two stretches at a cut within speech overlap by this many seconds on each side of the cut."""
_MAX_DIFFERENCE_S = 0.4
"""The times of one word in two transcriptions differ by less than this, in seconds."""
_GAP_S = 0.25
"""A silence of at least this length, in seconds, is cut off from a word's time, because the alignment wrongly included
it."""
_MAX_DISTANCE_TO_SPEECH_S = 0.5
"""A word counts as hallucinated if it is more than this far from any speech, in seconds."""
_SHORTEST_S = 0.02
_HEARD_S = 0.1
"""The time of a stretch's first word may have several parts with speech. The last part is taken for the word only if it
is at least this long, in seconds."""
_WORD_S = 0.3
_LETTER_S = 0.07
"""Seconds that a word takes, and additional seconds per letter, in unhurried speech."""
_NAME_LETTERS = 4
_SYLLABLES = 0x2E80
"""First code point of the Unicode characters that are a syllable or more."""


@dataclass(slots=True)
class Heard:
    tracks: dict[int | None, list[SpokenWord]] = field(default_factory=dict)
    """Words per channel if the channels are heard separately, or else all under None. Times in seconds of the
    recording."""
    windows: dict[int | None, list[Window]] = field(default_factory=dict)
    """The heard windows per channel."""
    language: str | None = None
    """Spoken language (ISO 639-1); None if nobody speaks."""
    seconds: float = 0.0
    """Length of the recording in seconds."""
    speech_s: float = 0.0
    """Seconds of speech, summed over the channels."""
    language_probability: float | None = None
    """Probability of `language`: 1.0 if it was given, None if nobody speaks or the engine cannot detect it."""

    @property
    def words(self) -> list[SpokenWord]:
        """Words of all tracks, one track after the other."""
        return [word for words in self.tracks.values() for word in words]

    @property
    def by_channel(self) -> bool:
        """True if the channel of every word is known."""
        return bool(self.tracks) and None not in self.tracks

    def add(self, piece: "HeardStretch") -> None:
        words = self.tracks.get(piece.stretch.channel, [])
        if piece.stretch.cut is not None:
            words = joined(words, piece.words, piece.stretch.cut)
        else:
            words += piece.words
        if words:
            self.tracks[piece.stretch.channel] = words
        self.speech_s += sum(last - first for first, last in piece.stretch.speech)
        self.windows.setdefault(piece.stretch.channel, []).append(piece.window)


@dataclass(frozen=True, slots=True)
class HeardStretch:
    stretch: Stretch
    words: Sequence[SpokenWord]
    window: Window


async def listen(
    recording: Recording,
    engine: Transcriber,
    options: SpeechOptions,
    *,
    reached: Callable[[float, float], None],
    turns: SpeakerTurns | None = None,
    emitter: PhraseEmitter | None = None,
) -> Heard:
    """Transcribe `recording`. `reached` is called with the seconds done and the total known so far. `turns` receives
    the sound, and `emitter` the words as they are transcribed. Raises InputError and ModelError."""
    listener = _Listener(engine, options)
    pending: deque[asyncio.Task[HeardStretch]] = deque()
    heard = Heard()
    total = recording.claimed_seconds or 0.0

    async def take() -> None:
        heard.add(await pending[0])
        stretch = pending.popleft().result().stretch
        if emitter is not None:
            emitter.add(stretch, heard.tracks.get(stretch.channel, []))
        reached(stretch.end, max(total, heard.seconds))

    try:
        async for stretch in _stretches(recording, engine.window_s, heard, turns, options.speakers):
            while len(pending) >= (_STRETCHES_AT_ONCE if listener.needs_no_language else 1):
                await take()
            pending.append(asyncio.create_task(listener.hear(stretch)))
            # Finished stretches are taken immediately, which frees their samples and reports progress.
            while pending and pending[0].done():
                await take()
        while pending:
            await take()
    finally:
        await call_off(*pending)
    if heard.tracks:
        heard.language = listener.language
    heard.language_probability = listener.language_probability
    return heard


async def _stretches(
    recording: Recording, length_s: float, heard: Heard, turns: SpeakerTurns | None, speakers: int | None
) -> AsyncIterator[Stretch]:
    """Yield the stretches. Channels are mixed until a block shows that they carry different audio, such as the two ends
    of a phone call."""
    tracks = [_ListeningTrack(length_s, 0.0, None)]
    faint = FaintSpeech()
    async for sound in recording.blocks(_BLOCK_S):
        block = await asyncio.to_thread(faint.raised, sound)
        if len(block) == 2 and len(tracks) == 1 and await asyncio.to_thread(are_apart, block):
            if heard.seconds:
                for stretch in await tracks[0].finish(turns):
                    yield stretch
            elif speakers in (None, 2):
                turns = None  # each channel is a speaker, so there is nothing left to find out
            tracks = [_ListeningTrack(length_s, heard.seconds, channel) for channel in (0, 1)]
        heard.seconds += block.shape[1] / RATE
        for track in tracks:
            for stretch in _with_next_start(await track.add(block, turns), tracks):
                yield stretch
    for track in tracks:
        for stretch in _with_next_start(await track.finish(turns), tracks):
            yield stretch


def _with_next_start(stretches: Sequence[Stretch], tracks: Sequence["_ListeningTrack"]) -> Iterator[Stretch]:
    """Yield copies of the new stretches of one track. The `next_start` of each is the earliest time at which a later
    stretch of any track can start."""
    latest = min(track.cut_until for track in tracks)
    for index, stretch in enumerate(stretches, start=1):
        yield replace(stretch, next_start=min([latest, *(later.start for later in stretches[index:])]))


class _ListeningTrack:
    """The stretches of one channel, or of all channels mixed, beginning at the second `start_s`."""

    def __init__(self, length_s: float, start_s: float, channel: int | None) -> None:
        self._channel = channel
        self._activity = VoiceActivity()
        self._cutter = Cutter(length_s, start_s=start_s, channel=channel)
        self._passed_until = 0.0

    @property
    def cut_until(self) -> float:
        return self._cutter.cut_until

    async def add(self, block: NDArray[np.float32], turns: SpeakerTurns | None) -> list[Stretch]:
        """Add `block`, which is [channels, n]."""
        mono: Samples = block.mean(axis=0, dtype=np.float32) if self._channel is None else block[self._channel]
        stretches = list(self._cutter.add(mono, await self._activity.add(mono)))
        return await self._pass_to_turns(stretches, turns)

    async def finish(self, turns: SpeakerTurns | None) -> list[Stretch]:
        stretches = [*self._cutter.add(np.empty(0, np.float32), await self._activity.finish()), *self._cutter.finish()]
        return await self._pass_to_turns(stretches, turns)

    async def _pass_to_turns(self, stretches: list[Stretch], turns: SpeakerTurns | None) -> list[Stretch]:
        """Pass the speech to `turns`, without repeating the overlap of two stretches."""
        for stretch in stretches if turns is not None else ():
            for first, last in stretch.speech:
                begin = max(first, self._passed_until)
                part = stretch.samples[_sample_index(begin - stretch.start) : _sample_index(last - stretch.start)]
                if turns is not None and last > begin:
                    await turns.add(part, begin)
                self._passed_until = max(self._passed_until, last)
        return stretches


class _Listener:
    def __init__(self, engine: Transcriber, options: SpeechOptions) -> None:
        self._engine = engine
        self._options = options
        self._admitted = False
        self.language = options.source_language
        self._given = options.source_language
        """Language passed to the engine: the one that the request names, or one that was detected with certainty."""
        self._found: list[tuple[str, float, float]] = []
        """Detected language, its probability and the seconds of speech, for each stretch whose language was not
        given."""

    @property
    def needs_no_language(self) -> bool:
        """True if stretches can be transcribed in parallel, because none needs the language of another."""
        return self._given is not None or self._engine.languages is not None

    @property
    def language_probability(self) -> float | None:
        if self._options.source_language is not None:
            return 1.0
        return pooled(
            (probability, weight) for language, probability, weight in self._found if language == self.language
        )

    async def hear(self, stretch: Stretch) -> HeardStretch:
        given_language = self._given
        text = await self._transcribe(stretch.samples)
        if given_language is None and text.language_probability is not None:
            self._found.append((text.language, text.language_probability, sum(b - a for a, b in stretch.speech)))
        if self._given is None and (text.words or self.language is None):
            self.language = text.language
            if text.words and self._engine.languages is None and (text.language_probability or 0) >= _LEAST_CERTAIN:
                self._given = text.language
        words = fit_to_speech(_shift_words(text.words, stretch.start), stretch.speech)
        missed = find_missed_speech(words, stretch.speech, _LEAST_MISSED_S) if words else []
        for first, last in _longest_spans(missed, _MOST_SECOND_LOOKS):
            rest = [word for word in words if not first <= middle(word) <= last]
            found = without_neighbours(await self._second_look(stretch, first, last), rest, (first, last))
            if _is_improvement(found, [word for word in words if first <= middle(word) <= last]):
                words = sorted([*rest, *found], key=lambda word: word.start)
        window = Window(stretch.start, text.no_speech, text.mean_logprob, text.compression_ratio)
        return HeardStretch(stretch, join_split_words(words), window)

    async def _second_look(self, stretch: Stretch, first: float, last: float) -> list[SpokenWord]:
        begin = max(stretch.start, first - _MARGIN_S)
        part = stretch.samples[_sample_index(begin - stretch.start) : _sample_index(last + _MARGIN_S - stretch.start)]
        text = await self._transcribe(part)
        # Words in the margins have already been transcribed.
        speech = within(stretch.speech, first, last)
        return fit_to_speech(
            [word for word in _shift_words(text.words, begin) if first <= middle(word) <= last], speech
        )

    async def _transcribe(self, samples: Samples) -> WindowText:
        window = SpeechWindow(samples, self._given, self._options.to_english, self._options.prompt or None)
        # If the queue is full, only a recording's first window may be refused. Later ones wait, so that finished work
        # is not lost.
        wait, self._admitted = self._admitted, True
        return await self._engine.transcribe(window, wait=wait)


def _shift_words(words: Sequence[SpokenWord], by: float) -> list[SpokenWord]:
    return [replace(word, start=word.start + by, end=word.end + by) for word in words]


def _is_improvement(found: Sequence[SpokenWord], earlier: Sequence[SpokenWord]) -> bool:
    """True if the second attempt has more words that are probably right, and hardly more words that are probably
    wrong."""
    if not found or not earlier:
        return bool(found)
    found_sum, earlier_sum = (sum(word.probability for word in words) for words in (found, earlier))
    return found_sum > earlier_sum and found_sum / len(found) > min(
        earlier_sum / len(earlier) - _MAX_MEAN_DROP, _CLEAR_ENOUGH
    )


def _sample_index(seconds: float) -> int:
    return max(0, round(seconds * RATE))


def joined(left_words: Sequence[SpokenWord], right_words: Sequence[SpokenWord], cut: float) -> list[SpokenWord]:
    """Join the words of two stretches that overlap around the second `cut`, with each word once.

    The result switches from `left_words` to `right_words` at the word nearest to the cut that occurs in both. If there
    is no such word, each word is taken from the stretch on its side of the cut."""
    tail = [index for index, word in enumerate(left_words) if word.end > cut - _OVERLAP_S]
    head = [index for index, word in enumerate(right_words) if word.start < cut + _OVERLAP_S]
    agreed = [
        (abs(middle(left_words[first]) - cut), first, second)
        for first in tail
        for second in head
        if _letters_of(left_words[first]) == _letters_of(right_words[second])
        and abs(middle(left_words[first]) - middle(right_words[second])) < _MAX_DIFFERENCE_S
    ]
    if agreed:
        _, first, second = min(agreed)
        return [*left_words[: first + 1], *right_words[second + 1 :]]
    return [
        *(word for word in left_words if middle(word) < cut),
        *(word for word in right_words if middle(word) >= cut),
    ]


def fit_to_speech(words: Sequence[SpokenWord], speech: Sequence[Span]) -> list[SpokenWord]:
    """Remove the silence from the times of `words`, which come from one transcription. Words far from all speech are
    left out. The others stay in order and do not overlap."""
    placed: list[SpokenWord] = []
    earliest = 0.0
    for word in words:
        span = _spoken_part(word, speech, is_first=word is words[0])
        if span is None:
            continue
        start = max(span[0], earliest)
        end = max(span[1], start + _SHORTEST_S)
        placed.append(replace(word, start=start, end=end))
        earliest = end
    return placed


def join_split_words(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Join words of one transcription that the engine writes without a space between them. For example, "K-O-W" comes
    as three words."""
    found: list[SpokenWord] = []
    for word in words:
        if found and not word.text[:1].isspace() and separator(found[-1].text, word.text):
            found[-1] = _merge_words(found[-1], word)
        else:
            found.append(word)
    return found


def _merge_words(first: SpokenWord, second: SpokenWord) -> SpokenWord:
    """Join two words; the probability is the mean over their tokens."""
    weights = max(1, len(first.tokens)), max(1, len(second.tokens))
    probability = (weights[0] * first.probability + weights[1] * second.probability) / sum(weights)
    tokens = first.tokens + second.tokens
    return SpokenWord(first.text + second.text, first.start, second.end, probability, tokens)


def find_missed_speech(words: Sequence[SpokenWord], speech: Sequence[Span], least_s: float) -> list[Span]:
    """Return the spans of speech, of at least `least_s`, in which words are probably missing. Such a span has no words,
    or words with too few letters for its duration, because an engine may stretch a word's time over speech that it
    missed. Words and spans must be in order and must not overlap."""
    stretched = [
        (word.start, word.end)
        for word in words
        if _speech_seconds(speech, word.start, word.end) >= _WORD_S + _LETTER_S * _count_letters(word.text) + least_s
    ]
    found: list[Span] = []
    for start, end in sorted([*_speech_without_words(words, speech, least_s), *stretched]):
        if found and start - found[-1][1] < _GAP_S:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _longest_spans(spans: Sequence[Span], most: int) -> list[Span]:
    """Return the longest of `spans`, at most `most`, in order of time."""
    return sorted(sorted(spans, key=lambda span: span[0] - span[1])[:most])


def _speech_without_words(words: Sequence[SpokenWord], speech: Sequence[Span], least_s: float) -> list[Span]:
    edges = (
        [speech[0][0], *(edge for word in words for edge in (word.start, word.end)), speech[-1][1]] if speech else []
    )
    gaps = [(first, second) for first, second in zip(edges[::2], edges[1::2], strict=True) if second > first]
    found = []
    for start, end in gaps:
        if _speech_seconds(speech, start, end) >= least_s:
            spoken = within(speech, start, end)
            found.append((spoken[0][0], spoken[-1][1]))
    return found


def without_neighbours(found: Sequence[SpokenWord], words: Sequence[SpokenWord], span: Span) -> list[SpokenWord]:
    """Drop the first or last word of `found` if it repeats the word right before or after the span."""
    words_before = [word for word in words if span[0] - _MAX_DIFFERENCE_S < word.end <= span[0]]
    words_after = [word for word in words if span[1] <= word.start < span[1] + _MAX_DIFFERENCE_S]
    kept = list(found)
    if kept and words_before and _letters_of(kept[0]) == _letters_of(words_before[-1]):
        del kept[0]
    if kept and words_after and _letters_of(kept[-1]) == _letters_of(words_after[0]):
        del kept[-1]
    return kept


def within(speech: Sequence[Span], start: float, end: float) -> list[Span]:
    return [(max(start, first), min(end, last)) for first, last in speech if first < end and last > start]


def _speech_seconds(speech: Sequence[Span], start: float, end: float) -> float:
    """Return the seconds of speech between `start` and `end`."""
    return sum(last - first for first, last in within(speech, start, end))


def _count_letters(text: str) -> int:
    """Return the number of letters that represents how long a text takes to say. A digit counts like its name, a
    Chinese character like its syllable."""
    return sum(_NAME_LETTERS if char.isdigit() or ord(char) >= _SYLLABLES else 1 for char in text if char.isalnum())


def _spoken_part(word: SpokenWord, speech: Sequence[Span], *, is_first: bool) -> Span | None:
    """Return the part of a word's time that contains speech; None if there is none nearby. The time of a first word may
    be extended back over speech that was omitted."""
    nearby_spans = [
        span
        for span in speech
        if span[0] < word.end + _MAX_DISTANCE_TO_SPEECH_S and span[1] > word.start - _MAX_DISTANCE_TO_SPEECH_S
    ]
    if not nearby_spans:
        return None
    parts = within(nearby_spans, word.start, word.end)
    if not parts:
        return word.start, word.end
    groups = [[parts[0]]]
    for part in parts[1:]:
        if part[0] - groups[-1][-1][1] < _GAP_S:
            groups[-1].append(part)
        else:
            groups.append([part])
    spans = [(group[0][0], group[-1][1]) for group in groups]
    if is_first and spans[-1][1] - spans[-1][0] >= _HEARD_S:
        return spans[-1]
    return max(spans, key=lambda span: span[1] - span[0])


def middle(word: SpokenWord) -> float:
    return (word.start + word.end) / 2


def _letters_of(word: SpokenWord) -> str:
    return "".join(filter(str.isalnum, word.text.lower()))
