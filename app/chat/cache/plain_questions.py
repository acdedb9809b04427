"""Tells requests that are plain questions, to which an answer to other words may be given."""

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
"""A longer text is mostly about something that it brings along."""
_LEAST_LIKELY: Final = 0.4
"""Probability of a language's being one that the embedding knows."""
_LEAST_COMMON, _SURELY_ANOTHER = 0.3, 0.9
"""The share of common English words, and a probability of another language that outweighs them."""
_CHANGING: Final = ("fresh", "changing", "costs", "changes_always", "day")
"""The subjects of planning that tell what changes from day to day."""


def is_plain_question(request: ChatRequest, today: date) -> bool:
    """Tells whether an answer to other words may suit this request: one short text by the user, alone or after system
    messages, in a language that the embedding knows, about nothing that changes from day to day, with nothing asked of
    the answer's form. What tasks a text asks for is for its plan to tell: with a step it is no plain question."""
    *before, last = request.messages
    asks_more = (
        request.tools,
        request.evidence,
        request.verbatim,
        request.ocr,
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
    """Tells whether `text` is in a language that the embedding knows, so that its similarities mean something."""
    found = detected(" ".join(text.split())[:MAX_QUESTION_CHARS], 2)
    if any(code in LANGUAGES and likely >= _LEAST_LIKELY for code, likely in found):
        return True
    # Detection errs on a few words.
    return share_of_english(text) >= _LEAST_COMMON and all(likely < _SURELY_ANOTHER for _, likely in found)
