"""Transcribes English with a fast network, and every other language with a multilingual network."""

from statistics import fmean

from models.speech.transcriber import HostedTranscriber, SpeechWindow, WindowText

ENGLISH = "en"
LEAST_ENGLISH = 0.5
"""The transcript of the fast network is used only if the probability of English is at least this."""
LEAST_CLEARNESS = 0.8
"""Speech that sounds English is transcribed again unless the mean probability of its words is at least this. Of 117
clips of telephone prompts in Spanish and French, 25 sounded English to the fast network. Of these 25, 13 had a mean of
0.5 or more, and one had 0.8 or more. Of 64 English clips, 62 had 0.8 or more."""


class EnglishFirst:
    """Two engines behind the interface of one. Implements Transcriber.

    If the stated language is English, or none is stated, the English engine transcribes the speech first, and also
    states how probable English is. Speech that is probably not English, or whose words are improbable, is then
    transcribed by the other engine. If both engines detect English, the transcript of the English engine is kept after
    all.
    """

    def __init__(self, english: HostedTranscriber, other: HostedTranscriber) -> None:
        self.name = other.name
        self.languages = other.languages
        self.can_translate = other.can_translate
        self.window_s = min(english.window_s, other.window_s)
        self._english = english
        self._other = other

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        if window.translate or window.language not in (None, ENGLISH):
            return await self._other.transcribe(window, wait=wait)
        transcribed = await self._english.transcribe(window, wait=wait)
        sounds_english = (transcribed.language_probability or 0.0) >= LEAST_ENGLISH
        if (
            sounds_english
            and transcribed.words
            and fmean(word.probability for word in transcribed.words) >= LEAST_CLEARNESS
        ):
            return transcribed
        other = await self._other.transcribe(window, wait=True)
        return transcribed if sounds_english and other.language == ENGLISH else other
