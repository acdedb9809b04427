"""How many tokens a request without an LLM counts for."""

import math

BYTES_PER_TOKEN = 4
"""OpenAI's rule of thumb for English ("one token is about four characters"), on UTF-8 bytes so that other
scripts, which tokenizers split finer, count more. An estimate: a run task has no tokenizer."""


def estimate_tokens(*texts: str) -> int:
    """At least 1 for any text, 0 for none."""
    return sum(math.ceil(len(text.encode()) / BYTES_PER_TOKEN) for text in texts)
