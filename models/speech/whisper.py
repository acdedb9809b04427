"""The speech recognition engine: Whisper on CTranslate2."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import Unfinished, available_cpus
from models.devices.device import CTRANSLATE2, CUDA
from models.speech.english_head import english_head
from models.speech.spectrum import log_mel_function
from models.speech.transcriber import LONGEST_S, PROMPT_CHARS, RATE, SpeechWindow, SpokenWord, WindowText
from models.speech.whisper_files import CAPABILITY, WhisperFiles, read_parts

MAX_COMPRESSION = 2.4
"""Largest compression ratio (bytes of a text per byte of its compressed form) of a text without loops, according to
Whisper's authors."""
_LEAST_REPETITIONS = 3
"""A phrase in a loop is repeated at least this many times in a row."""
_LONGEST_PHRASE = 16
"""Phrases with at most this many words are searched for."""
_LEAST_PROBABILITY = 0.7
_LEAST_WORD_S = 0.12
# Punctuation marks that belong to the next word, and marks that belong to the previous word: faster-whisper's defaults.
_OPENING_MARKS = "\"'“¿([{-"
_CLOSING_MARKS = "\"'.。,，!！?？:：”)]}、"
_HOP = 160
"""Number of samples in one frame of features."""
_STATE_SAMPLES = 2 * _HOP
"""Number of samples in one of the encoder's states."""
_LEAST_S = 10
_STEP_S = 5
_QUIET_S = 2
"""Padding of windows, in seconds. A window that is not padded to LONGEST_S gets at least `_QUIET_S` of silence at its
end, or less if it would then exceed LONGEST_S. Without this silence, Whisper stops early or transcribes everything
twice. The window's length is then rounded up to a multiple of `_STEP_S`, so that windows of similar length share a
batch, and is at least `_LEAST_S`."""
_DETECTION_S = 10
"""A window of at least this length, in seconds, is not padded to LONGEST_S for the detection of its language."""
_WORKERS = 2
"""Number of parts of a batch that are computed at a time on a CPU. On two cores, a part spends a third of its time in
single-threaded work (alignment, beams, words). Meanwhile, the other part uses the other core. Measured over sixteen
windows of 13 s: 13.3 s instead of 18.8 s; a window alone takes as long as before."""
_LEAST_SAMPLES = RATE // 10
"""A window with fewer samples than this counts as silence."""
_INSTANT_S = 0.03
_LEAST_INSTANT_RUN = 3
"""At least this many consecutive words without duration are considered made up."""
_DOUBTFUL_LOGPROB = -1.0
_SILENCE_PROBABILITY = 0.6
"""Thresholds of Whisper's authors. A text is in doubt if its mean log probability is below `_DOUBTFUL_LOGPROB`. It
counts as silence if, in addition, the probability that nobody speaks is above `_SILENCE_PROBABILITY`."""
_SURE_LOGPROB = -0.4
"""Mean log probability above which a repetitive text, such as a song or a slogan, counts as spoken if the sound is long
enough for it. A text made up for an unknown sound has a lower value. In other cases, the times of the words decide."""
_TOKENS_PER_SECOND = 8
_EXTRA_TOKENS = 24
"""At most `_TOKENS_PER_SECOND` tokens for each second, plus `_EXTRA_TOKENS`, are decoded. Whisper allows 224 tokens in
30 s."""
_SPOKEN_TOKENS_PER_SECOND = 6
_EXTRA_SPOKEN_TOKENS = 12
"""At most `_SPOKEN_TOKENS_PER_SECOND` tokens for each second, plus `_EXTRA_SPOKEN_TOKENS`, can be spoken: fast digits
with hyphens. A search first ends beyond this limit, because Whisper decodes without end if it recognises nothing. A
text that is not in doubt there, or whose language needs many tokens, is searched for again, up to the larger limit."""
_LETTERS_PER_TOKEN = 3
"""A text with fewer characters per token is in a language that needs many tokens. English has four to five, languages
with scripts of their own one to two."""
_MAX_LOGPROB_LOSS = 0.5
"""A text without a loop is preferred to a more probable text with a loop if their log probabilities differ by less than
this, or if the text with the loop is too long to have been spoken."""
_SEARCHES: tuple[Mapping[str, Any], ...] = ({}, {"timestamps": True}, {"no_repeat_ngram_size": 3})
"""Search options. Each set is tried on the windows that the previous one left in doubt. With a prompt, the first set is
tried twice, the second time without the prompt: a prompt that does not fit the speech makes Whisper repeat it until it
reaches the limit of tokens."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Common properties of windows that are decoded together."""

    frames: int
    language: str | None
    translate: bool
    prompt: str | None
    options: int = 0
    """Index in `_SEARCHES` of the options of the next search."""
    is_whole: bool = False
    """True if the next searches may decode more tokens than can usually be spoken."""

    def next(self) -> "_Group | None":
        """Return the group in which windows that are still in doubt are searched next; None after the last search."""
        if self.prompt:
            return replace(self, prompt=None)
        return replace(self, options=self.options + 1) if self.options + 1 < len(_SEARCHES) else None


@dataclass(frozen=True, slots=True)
class _Decoded:
    tokens: list[int]
    text: str
    logprob: float
    compression: float
    no_speech: float
    max_tokens: int
    """Largest number of tokens that can be spoken in the duration of the sound."""
    is_cut: bool = False
    """True if the search ended at the number of tokens that can be spoken, and not at the end of the text."""

    @property
    def loops(self) -> bool:
        return self.compression > MAX_COMPRESSION and (self.logprob < _SURE_LOGPROB or self.is_too_long)

    @property
    def is_too_long(self) -> bool:
        return self.is_cut or len(self.tokens) > self.max_tokens

    @property
    def is_dense(self) -> bool:
        """True if the text's language needs many tokens for its letters."""
        return len(self.text) < _LETTERS_PER_TOKEN * len(self.tokens)

    @property
    def is_silence(self) -> bool:
        return not self.text or (self.no_speech > _SILENCE_PROBABILITY and self.logprob < _DOUBTFUL_LOGPROB)

    @property
    def in_doubt(self) -> bool:
        return not self.is_silence and (self.loops or self.logprob < _DOUBTFUL_LOGPROB)

    def is_better_than(self, other: "_Decoded") -> bool:
        if self.loops != other.loops:
            # If a speaker really repeats something, a text without the repetition is far less likely.
            return not self.loops and (other.is_too_long or self.logprob > other.logprob - _MAX_LOGPROB_LOSS)
        return self.logprob > other.logprob


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The next search for the text of a window."""

    window: SpeechWindow
    group: _Group
    language_probability: float | None = None
    """Probability of the language; None if it has not been measured, or cannot be."""
    best: _Decoded | None = None
    """Best text of the earlier searches."""

    def better(self, found: _Decoded) -> _Decoded:
        """Return the better one of `found` and the earlier texts."""
        # If the same search finds nothing without the prompt, the doubtful text came from the prompt.
        if self.group.options == 0 and found.is_silence:
            return found
        return found if self.best is None or (found.text and found.is_better_than(self.best)) else self.best

    def after(self, best: _Decoded) -> "_Search | None":
        """Return the search that comes next if `best` is the best text so far; None if none is needed or left."""
        if self.is_too_short or best.is_silence:
            return None
        if best.is_cut and (best.is_dense or not best.in_doubt):
            return replace(self, group=replace(self.group, is_whole=True))
        group = self.group.next() if best.in_doubt else None
        return None if group is None else replace(self, group=group, best=best)

    @property
    def is_too_short(self) -> bool:
        return len(self.window.samples) < _LEAST_SAMPLES


class Whisper:
    """Engine for an EngineHost with one worker, because CTranslate2 itself computes with all threads.

    A window whose text is in doubt or cut comes back unfinished after each search. So other keys wait for one search
    and not for all, and nothing more is searched for a caller that has left.
    """

    def __init__(
        self,
        files: WhisperFiles,
        *,
        device: str = "cpu",
        threads: int | None = None,
        beam: int = 5,
        fills_windows: bool = True,
    ) -> None:
        """`device` is `cpu`, `cuda` or `cuda:1`. With `fills_windows`, each window is padded to LONGEST_S, as in
        Whisper's training. Otherwise, a window is padded to little more than its own length, which takes less time, if
        its language is known or the window is long enough to detect it."""
        self._files = files
        self._device = device
        self._threads = threads
        self._beam = beam
        self._fills_windows = fills_windows
        self._whisper: Any = None
        self._spectrum: Any = None
        self._tokenizers: dict[tuple[str, bool], Any] = {}

    def load(self) -> None:
        """Load the model. Raises EngineUnavailable for a card that cannot be used."""
        files = read_parts(self._files)
        kind, _, index = CTRANSLATE2.check(self._device, CAPABILITY).partition(":")
        from faster_whisper import WhisperModel

        self._whisper = WhisperModel(
            str(self._files.folder),
            device=kind,
            device_index=int(index or 0),
            compute_type="float16" if kind == CUDA else "int8",
            cpu_threads=self._threads or 0,
            num_workers=1 if kind == CUDA else _WORKERS,
            local_files_only=True,
            files=files,
        )
        self._spectrum = log_mel_function(self._whisper.feature_extractor)

    def close(self) -> None:
        self._whisper = None
        self._tokenizers.clear()

    def run(self, batch: Sequence[SpeechWindow | _Search]) -> list[WindowText | Exception | Unfinished]:
        searches = [item if isinstance(item, _Search) else self._first_search(item) for item in batch]
        results: list[WindowText | Exception | Unfinished | None] = [None] * len(batch)

        def transcribe(members: Sequence[int]) -> None:
            try:
                transcribed: Sequence[WindowText | Exception | Unfinished] = self._transcribe(
                    [searches[member] for member in members]
                )
            except Exception as error:  # noqa: BLE001 - an error of one group does not affect others
                transcribed = [error] * len(members)
            for member, text in zip(members, transcribed, strict=True):
                results[member] = text

        groups: dict[_Group, list[int]] = defaultdict(list)
        for member, search in enumerate(searches):
            groups[search.group].append(member)
        workers = 1 if self._whisper.model.device == CUDA else _WORKERS
        parts = [members[first::workers] for members in groups.values() for first in range(min(workers, len(members)))]
        with ThreadPoolExecutor(workers) as threads:
            list(threads.map(transcribe, parts))
        return [result for result in results if result is not None]

    def states(self, window: SpeechWindow) -> NDArray[np.float32]:
        """Return the encoder's states of `window`, without its padding: float32[frames, width]."""
        encoded = self._encode([window], self._frames(window))
        return _states(encoded, [window])[0]

    def _first_search(self, window: SpeechWindow) -> _Search:
        language = window.language if self._whisper.model.is_multilingual else "en"
        prompt = (window.prompt or "")[-PROMPT_CHARS:].strip()
        return _Search(window, _Group(self._frames(window), language, window.translate, prompt or None))

    def _frames(self, window: SpeechWindow) -> int:
        seconds = len(window.samples) / RATE + _QUIET_S
        stepped = max(_LEAST_S, math.ceil(seconds / _STEP_S) * _STEP_S)
        # With less padding than in its training, Whisper base detects the language of short clips less reliably. Of 50
        # clips in five languages, cut to 8 s, it was wrong in 1 with full padding and in 2 without. At 11 s and 14 s,
        # it was wrong in none.
        is_detected = window.language is None and self._whisper.model.is_multilingual
        is_padded = self._fills_windows or (is_detected and seconds - _QUIET_S < _DETECTION_S)
        whole = LONGEST_S if is_padded else min(LONGEST_S, stepped)
        return int(whole * RATE) // _HOP

    def _transcribe(self, searches: Sequence[_Search]) -> list[WindowText | Unfinished]:
        """Search once for the texts of windows of one group."""
        group = searches[0].group
        encoded = self._encode([search.window for search in searches], group.frames)
        if group.language is not None:
            return self._transcribe_language(encoded, self._with_language_probabilities(encoded, searches))
        detected = [best for best, *_ in self._whisper.model.detect_language(encoded)]
        spoken: dict[str, list[int]] = defaultdict(list)
        for member, (token, _) in enumerate(detected):
            spoken[token[2:-2]].append(member)
        texts: dict[int, WindowText | Unfinished] = {}
        for language, members in spoken.items():
            in_language = replace(group, language=language)
            transcribed = self._transcribe_language(
                encoded if len(spoken) == 1 else _select_windows(encoded, members),
                [
                    replace(searches[member], group=in_language, language_probability=float(detected[member][1]))
                    for member in members
                ],
            )
            texts |= zip(members, transcribed, strict=True)
        return [texts[member] for member in range(len(searches))]

    def _transcribe_language(self, encoded: Any, searches: Sequence[_Search]) -> list[WindowText | Unfinished]:
        """Search once for the texts of windows of one group, whose language is known."""
        group, windows = searches[0].group, [search.window for search in searches]
        assert group.language is not None
        tokenizer = self._tokenizer(group.language, group.translate)
        decoded = self._generate(encoded, tokenizer, group, windows)
        best = [search.better(found) for search, found in zip(searches, decoded, strict=True)]
        following = [search.after(text) for search, text in zip(searches, best, strict=True)]
        # The alignment needs all encoded windows; those with silence, and those still in doubt, get no tokens.
        tokens = [
            [] if text.is_silence or search.is_too_short or after is not None else text.tokens
            for search, text, after in zip(searches, best, following, strict=True)
        ]
        frames = [max(_LEAST_SAMPLES, min(len(window.samples), group.frames * _HOP)) // _HOP for window in windows]
        alignments = self._whisper.find_alignment(tokenizer, tokens, encoded, frames)
        return [
            WindowText(
                _plausible(timed_words(alignment), len(search.window.samples) / RATE),
                group.language,
                search.language_probability,
                text.no_speech,
                text.logprob,
                text.compression,
            )
            if after is None
            else Unfinished(after)
            for search, text, after, alignment in zip(searches, best, following, alignments, strict=True)
        ]

    def _with_language_probabilities(self, encoded: Any, searches: Sequence[_Search]) -> list[_Search]:
        """Return `searches` with the probability of each window's language, which the caller named, or which is the
        model's only one, or which an earlier search has found. It is None if it cannot be measured."""
        measured: list[float | None] = [1.0 if self._whisper.model.is_multilingual else None] * len(searches)
        if self._files.is_tiny_en and not all(search.window.language for search in searches):
            windows = [search.window for search in searches]
            measured = [english_head().probability(states) for states in _states(encoded, windows)]
        return [
            replace(search, language_probability=1.0 if search.window.language else found)
            if search.language_probability is None
            else search
            for search, found in zip(searches, measured, strict=True)
        ]

    def _encode(self, windows: Sequence[SpeechWindow], frames: int) -> Any:
        """Return the encoded windows as one result. On a CPU, each thread computes one window at a time, because eight
        windows exceed the cache and take almost twice as long."""
        import ctranslate2

        seen = np.stack([self._spectrum(window.samples, frames) for window in windows])
        at_once = len(windows) if self._whisper.model.device == CUDA else self._threads or available_cpus()
        parts = [self._whisper.encode(seen[first : first + at_once]) for first in range(0, len(windows), at_once)]
        return parts[0] if len(parts) == 1 else ctranslate2.StorageView.from_array(np.concatenate(parts))

    def _tokenizer(self, language: str, translate: bool) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        key = language, translate
        if key not in self._tokenizers:
            task = "translate" if translate else "transcribe"
            multilingual = self._whisper.model.is_multilingual
            self._tokenizers[key] = Tokenizer(self._whisper.hf_tokenizer, multilingual, task=task, language=language)
        return self._tokenizers[key]

    def _generate(self, encoded: Any, tokenizer: Any, group: _Group, windows: Sequence[SpeechWindow]) -> list[_Decoded]:
        """Return the texts of one search."""
        from faster_whisper.transcribe import get_suppressed_tokens

        limit = max(_max_spoken_tokens(window) for window in windows) + 1
        if group.is_whole:
            limit = _TOKENS_PER_SECOND * group.frames * _HOP // RATE + _EXTRA_TOKENS
        options = dict(_SEARCHES[group.options])
        prefix = tokenizer.encode(f" {group.prompt}") if group.prompt else []
        start = self._whisper.get_prompt(tokenizer, prefix, without_timestamps=not options.pop("timestamps", False))
        results = self._whisper.model.generate(
            encoded,
            [start] * len(windows),
            beam_size=self._beam,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
            # CTranslate2 limits a text to half of `max_length`, and to `max_length` less the prompt.
            max_length=min(self._whisper.max_length, max(2 * limit, limit + len(start))),
            max_initial_timestamp_index=round(1.0 / self._whisper.time_precision),
            return_scores=True,
            return_no_speech_prob=True,
            **options,
        )
        return [
            _decoded_result(result, tokenizer, window, is_whole=group.is_whole)
            for result, window in zip(results, windows, strict=True)
        ]


def timed_words(alignment: Sequence[dict[str, Any]]) -> list[SpokenWord]:
    """Return the words of `alignment`, which is an element of the result of `WhisperModel.find_alignment` and lists
    words and signs in order."""
    from faster_whisper.transcribe import merge_punctuations

    pieces = [dict(piece) for piece in alignment]
    # Marks are appended to a neighbouring word, which leaves their own entries empty. Their times are not needed.
    merge_punctuations(pieces, _OPENING_MARKS, _CLOSING_MARKS)
    return [
        SpokenWord(
            piece["word"],
            float(piece["start"]),
            float(piece["end"]),
            float(piece["probability"]),
            tuple(piece["tokens"]),
        )
        for piece in pieces
        if piece["word"].strip()
    ]


def _max_spoken_tokens(window: SpeechWindow) -> int:
    return _EXTRA_SPOKEN_TOKENS + _SPOKEN_TOKENS_PER_SECOND * len(window.samples) // RATE


def _decoded_result(result: Any, tokenizer: Any, window: SpeechWindow, *, is_whole: bool) -> _Decoded:
    from faster_whisper.transcribe import get_compression_ratio

    generated = result.sequences_ids[0]
    # The score is the sum of the tokens' log probabilities divided by their number. The mean that Whisper's thresholds
    # are made for counts the end of the text as one more token.
    logprob = result.scores[0] * len(generated) / (len(generated) + 1)
    max_tokens = _max_spoken_tokens(window)
    is_cut = not is_whole and len(generated) > max_tokens
    # The limit of a batch is that of its longest window. Each text is cut as if its window were alone; its mean log
    # probability is that of everything the search found, because CTranslate2 returns no others.
    tokens = [token for token in (generated[: max_tokens + 1] if is_cut else generated) if token < tokenizer.eot]
    text = tokenizer.decode(tokens).strip()
    compression = get_compression_ratio(text) if text else 0.0
    return _Decoded(tokens, text, logprob, compression, float(result.no_speech_prob), max_tokens, is_cut)


def _select_windows(encoded: Any, members: Sequence[int]) -> Any:
    """Return the encoded windows with the indices `members` as one result."""
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.array(encoded.to_device(ctranslate2.Device.cpu))[members])


def _states(encoded: Any, windows: Sequence[SpeechWindow]) -> list[NDArray[np.float32]]:
    """Return the encoder's states of each of `windows`, without the padding: float32[frames, width]."""
    import ctranslate2

    states = np.array(encoded.to_device(ctranslate2.Device.cpu), np.float32)
    return [own[: max(1, len(window.samples) // _STATE_SAMPLES)] for own, window in zip(states, windows, strict=True)]


def _plausible(words: Sequence[SpokenWord], seconds: float) -> tuple[SpokenWord, ...]:
    """Return the words except made-up loops, and except runs of words that have no duration. All times of the returned
    words are inside the window."""
    kept_indices = without_loops([word.text for word in words])
    kept = [words[index] for index in kept_indices]
    if len(kept) < len(words):
        probabilities = [word.probability for word in kept]
        kept = kept if is_made_up(probabilities, [word.end - word.start for word in words]) else list(words)
    runs = [list(run) for _, run in groupby(kept, lambda word: word.end - word.start < _INSTANT_S)]
    plausible = [
        word for run in runs for word in run if len(run) < _LEAST_INSTANT_RUN or word.end - word.start >= _INSTANT_S
    ]
    return tuple(replace(word, start=min(word.start, seconds), end=min(word.end, seconds)) for word in plausible)


def is_made_up(probabilities: Sequence[float], durations: Sequence[float]) -> bool:
    """Return True if the words of a loop were probably not spoken, because they are improbable or have almost no
    duration. `probabilities` are those of the words without the repetitions, which are always probable. `durations` are
    those of all words, in seconds."""
    return fmean(probabilities) < _LEAST_PROBABILITY or median(durations) < _LEAST_WORD_S


def without_loops(words: Sequence[str]) -> list[int]:
    """Return the indices of `words` to keep: only the first occurrence of a phrase that occurs at least three times in
    a row.

    >>> without_loops("I see I see I see it".split())
    [0, 1, 6]
    """
    plain = [word.strip(" .,!?;:…").lower() for word in words]
    kept: list[int] = []
    at = 0
    while at < len(plain):
        length, times = _loop(plain, at)
        kept += range(at, at + length)
        at += length * times
    return kept


def _loop(words: Sequence[str], position: int) -> tuple[int, int]:
    """Return the number of words of the phrase that is repeated from `position`, and the number of its occurrences; 1
    and 1 if there is no loop."""
    for length in range(1, min(_LONGEST_PHRASE, (len(words) - position) // _LEAST_REPETITIONS) + 1):
        phrase, times = words[position : position + length], 1
        while words[position + times * length : position + (times + 1) * length] == phrase:
            times += 1
        if times >= _LEAST_REPETITIONS:
            return length, times
    return 1, 1
