"""Lines between which an LLM is shown text from outside, which must not be able to hold and so to end them."""

import hashlib
import secrets
from collections.abc import Sequence


def fence_around(texts: Sequence[str]) -> str:
    """A fence that stands in none of `texts`, and is the same for the same texts: an LLM that is asked the same twice
    reads the same twice. It is 64 bits of their digest, and nobody can write a text that holds its own."""
    digest = "\0".join([str(len(texts)), *texts]).encode(errors="surrogatepass")
    while True:
        digest = hashlib.sha256(digest).digest()
        fence = f"=={digest.hex()[:16]}=="
        if not any(fence in text for text in texts):
            return fence


def new_fence() -> str:
    """A fence for texts that are still to come: none that was written before now can hold it (64 random bits)."""
    return f"=={secrets.token_hex(8)}=="
