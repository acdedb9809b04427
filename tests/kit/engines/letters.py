"""A tokenizer whose tokens are letters and signs, for the encoder of pages."""

import string
from functools import cache
from typing import Any

LETTERS = string.ascii_lowercase + string.digits + string.punctuation


@cache
def letter_tokenizer() -> Any:
    """A letter that continues a word has the number of the same letter, and 100 more."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import BertPreTokenizer

    known = {"[UNK]": 0}
    for number, letter in enumerate(LETTERS, 1):
        known |= {letter: number, f"##{letter}": 100 + number}
    tokenizer: Any = Tokenizer(WordPiece(known, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), BertPreTokenizer()
    return tokenizer
