"""Tells what the sentences of a prompt order: something about a conversation, or an answer in JSON. The model of wishes
judges each sentence."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from app.chat.planning.described_json import forms_in
from tasks.wording.message import QUOTE, sentences_in, split_message
from tasks.wording.wishes import LIKELY, Label, wish_model, wishes_in

ABOUT_CONVERSATION: Final[frozenset[Label]] = frozenset({"title", "queries", "suggestions"})
"""Labels of what chat programs order in the background."""
_MAX_CHARS: Final = 12_000
"""Orders are looked for in this many characters at the beginning of a prompt."""
_MAX_SENTENCES: Final = 100
"""At most this many sentences of a prompt are judged."""
_LEAST: Final = 0.05
"""A sentence whose likeliest wish is less probable, such as a heading, orders nothing."""
_JSON: Final = "json"
_BOOLEANS: Final = ("true", "false")


def order_in(prompt: str) -> Label | None:
    """Return what a sentence of a prompt about a conversation most likely orders; None if none orders anything."""
    orders = [order for sentence in _sentences_of(prompt) if (order := _order_of(sentence))]
    return max(orders, key=lambda order: order.probability).label if orders else None


def sure_order_in(message: str) -> Label | None:
    """Return what a message as a whole surely orders about the conversation that it continues, or None."""
    order = _order_of(message[:_MAX_CHARS])
    return order.label if order and order.probability >= LIKELY else None


def wish_of_key(key: str) -> Label | None:
    """Return what a key of the JSON in an answer is for: `topic` for a title, `search_terms` for queries; None for
    another."""
    order = _order_of(f"{{{key}}}")
    return order.label if order else None


def asks_for_json(orders: str) -> bool:
    """True if the orders want to be answered with JSON, and do not only speak of some."""
    return _speaks_of_json(orders, "json")


def asks_only_for_json(orders: str) -> bool:
    """True if the orders want every answer to be JSON, and nothing else."""
    return _speaks_of_json(orders, "json_only")


def described_form(orders: str) -> Any:
    """Return the longest example of the JSON with which the orders want to be answered, or None if they show none. An
    object counts rather than a list."""
    found = (one.value if one.is_json else _example_of(one.value) for one in forms_in(orders))
    forms = sorted(found, key=lambda form: (isinstance(form, dict), len(str(form))))
    return forms[-1] if forms and asks_for_json(orders) else None


def _speaks_of_json(orders: str, label: Label) -> bool:
    if _JSON not in orders[:_MAX_CHARS].lower():
        return False
    return any(_probabilities(one)[label] >= LIKELY for one in _sentences_of(orders) if _JSON in one.lower())


class _Order(NamedTuple):
    label: Label
    probability: float


def _order_of(sentence: str) -> _Order | None:
    probabilities = _probabilities(sentence)
    label = max(ABOUT_CONVERSATION, key=probabilities.__getitem__)
    is_wished = probabilities[label] >= _LEAST and label in wishes_in(probabilities)
    return _Order(label, probabilities[label]) if is_wished else None


def _probabilities(text: str) -> Mapping[Label, float]:
    return wish_model().probabilities(split_message(text), ())


def _sentences_of(prompt: str) -> Iterator[str]:
    """Yield the first sentences of a prompt, with marks in place of objects of several lines."""
    prompt = prompt[:_MAX_CHARS]
    parts, position = [], 0
    for form in forms_in(prompt):
        if "\n" in prompt[form.begin : form.end]:
            parts.append(prompt[position : form.begin])
            position = form.end
    sentences = sentences_in(QUOTE.join([*parts, prompt[position:]]))
    return islice((one for one in sentences if any(map(str.isalpha, one))), _MAX_SENTENCES)


def _example_of(notes: Mapping[str, str]) -> dict[str, Any]:
    """Return an example of the object that an unfinished form describes by a note on each key."""
    return {name: _example_value(note) for name, note in notes.items()}


def _example_value(note: str) -> Any:
    if note.startswith("["):
        return [""]
    if note[:1].isdigit():
        return 0
    return False if note.lower().startswith(_BOOLEANS) else ""
