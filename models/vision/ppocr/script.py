"""Which scripts are written without spaces."""

_UNSPACED = (
    ("\u2e80", "\u303f"),  # radicals, CJK punctuation
    ("\u3040", "\u30ff"),  # hiragana, katakana
    ("\u3100", "\u312f"),  # bopomofo
    ("\u31f0", "\u9fff"),  # katakana extensions, enclosed letters, ideographs
    ("\uf900", "\ufaff"),  # compatibility ideographs
    ("\uff00", "\uffef"),  # full and half width forms
    ("\U00020000", "\U0003ffff"),  # rare ideographs
)


def is_cjk(character: str) -> bool:
    """Whether `character` belongs to Chinese or Japanese writing, its punctuation included."""
    return character >= _UNSPACED[0][0] and any(first <= character <= last for first, last in _UNSPACED)
