"""Words with times and probabilities, from what Whisper's attention says about its tokens."""

from collections.abc import Sequence
from typing import Any

from models.speech.transcriber import Word

# As faster-whisper's defaults: signs that belong to the word after them, and to the word before.
_BEFORE = "\"'“¿([{-"
_AFTER = "\"'.。,，!！?？:：”)]}、"


def timed_words(alignment: Sequence[dict[str, Any]]) -> list[Word]:
    """`alignment` is one of those that `WhisperModel.find_alignment` returns: words and signs, in order."""
    from faster_whisper.transcribe import merge_punctuations

    pieces = [dict(piece) for piece in alignment]
    # Signs give their text to a neighbour and become empty; their times are of no interest.
    merge_punctuations(pieces, _BEFORE, _AFTER)
    return [
        Word(
            piece["word"],
            float(piece["start"]),
            float(piece["end"]),
            float(piece["probability"]),
            tuple(piece["tokens"]),
        )
        for piece in pieces
        if piece["word"].strip()
    ]
