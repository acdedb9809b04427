"""Recognises plain questions: requests that may be answered with the cached answer to a paraphrase."""

from datetime import date
from typing import Final

from app.chat.cache.questions import share_of_english
from app.chat.directives import has_task_tag
from app.chat.inputs import text_of
from app.chat.planning.prose import WORDS
from app.wire.request import ChatRequest, TextPart
from models.embedding.embedder import LANGUAGES
from models.translation.languages import detected
from tasks.inputs.source import urls_in
from tasks.wording.search_query import freshness_in

MAX_QUESTION_CHARS: Final = 500
"""A plain question has at most this many characters. A longer text mostly contains the material that it is about."""
_LEAST_LIKELY: Final = 0.4
"""A text is taken to be in a language that the embedding knows if the probability is at least this."""
_LEAST_COMMON, _SURELY_ANOTHER = 0.3, 0.9
"""Thresholds for English. A text is English if its share of common English words reaches `_LEAST_COMMON`, unless
another language has a probability of at least `_SURELY_ANOTHER`."""
_CHANGING: Final = ("fresh", "changing", "costs", "changes_always", "day")
"""Word lists of `planning.prose` that mark a question whose answer may change from day to day."""


def is_plain_question(request: ChatRequest, today: date) -> bool:
    """True if a cached answer to a paraphrase may be returned for this request.

    A plain question is one short text by the user, alone or after system messages, in a language that the embedding
    knows. It is not about anything that changes from day to day, and the request prescribes no form of the answer, such
    as a schema. Planned tasks are not examined here. A question that needs one is never known, because
    `RephrasedQuestions` learns only from answers without results of tasks.
    """
    *before, last = request.messages
    asks_more = (
        request.tools,
        request.evidence,
        request.verbatim,
        request.ocr,
        request.is_only_flagged,  # With flags, the answer contains the guard's scores of the very words that were sent.
        request.logprobs,
        request.seed is not None,
        request.response_format is not None and request.response_format.type != "text",
    )
    if any(asks_more) or last.role != "user" or any(each.role not in ("system", "developer") for each in before):
        return False
    if any(
        isinstance(each.content, list) and not all(isinstance(part, TextPart) for part in each.content)
        for each in request.messages
    ):
        return False
    if any(has_task_tag(text, len(text)) for text in map(text_of, before)):
        return False
    text = text_of(last).strip()
    return bool(text) and len(text) <= MAX_QUESTION_CHARS and _is_lasting(text, today) and is_known_language(text)


def _is_lasting(text: str, today: date) -> bool:
    return not (WORDS.speaks_of(text, *_CHANGING) or urls_in(text) or freshness_in(text, today))


def is_known_language(text: str) -> bool:
    """True if `text` is in a language that the embedding knows, so that similarities of its embeddings are
    meaningful."""
    found = detected(" ".join(text.split())[:MAX_QUESTION_CHARS], 2)
    if any(code in LANGUAGES and likely >= _LEAST_LIKELY for code, likely in found):
        return True
    # Detection is unreliable for a text of a few words.
    return share_of_english(text) >= _LEAST_COMMON and all(likely < _SURELY_ANOTHER for _, likely in found)
