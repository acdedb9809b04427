"""What is judged, as the conversation that the chat templates of guard models are made for."""

import re
from typing import Any

from models.safety.windows import Exchange

_TAG = re.compile(r"<(?=\||/?(?:think|tool_call|tool_response)\b|(?:BEGIN|END)\b)", re.IGNORECASE)
"""Begins a special token of a tokenizer, or one of the lines that a template puts around the conversation."""
_ROLE = re.compile(
    r"(^|[\n\r\v\f\x85\u2028\u2029])([^\S\n]*)(?=(?:user|assistant|agent|human|system)\s*:)", re.IGNORECASE
)
"""Begins a turn of the conversation as templates write one."""


def as_messages(exchange: Exchange) -> list[dict[str, Any]]:
    """The last message is what the model judges."""
    text = harmless(exchange.text)
    if exchange.answers is None:
        return [{"role": "user", "content": text}]
    # Servers refuse a message without content.
    question = harmless(exchange.answers).strip() or "…"
    return [{"role": "user", "content": question}, {"role": "assistant", "content": text}]


def harmless(text: str) -> str:
    """`text` without what would end the message that it stands in, or begin another: a model that is told to judge the
    last message alone would judge what the text makes of it. Reads as before."""
    return _ROLE.sub(r"\1\2> ", _TAG.sub("< ", text))
