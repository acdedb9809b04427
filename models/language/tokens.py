"""How many tokens a text is, where no tokenizer can say."""

import math

BYTES_PER_TOKEN = 4
"""OpenAI's rule of thumb for English ("one token is about four characters"), on UTF-8 bytes so that other scripts,
which tokenizers split finer, count more."""


def estimate_tokens(*texts: str, bytes_per_token: int = BYTES_PER_TOKEN) -> int:
    """At least 1 for any text, 0 for none. Fewer `bytes_per_token` make a more careful estimate."""
    return sum(math.ceil(_bytes(text) / bytes_per_token) for text in texts)


def first_tokens(text: str, limit: int | None) -> tuple[str, bool]:
    """As much of `text` as is estimated to be `limit` tokens, and whether something is missing."""
    if limit is None or estimate_tokens(text) <= limit:
        return text, False
    return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore"), True


def _bytes(text: str) -> int:
    """The length of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
