"""Determines the codes that the labels of an image classifier mean, by the words in the labels."""

import re
from collections.abc import Mapping, Sequence

_NUDE = frozenset(
    "hentai naked nude nudes nudity porn porno pornographic pornography topless xxx".split()  # noqa: SIM905
)

_UNFIT = _NUDE | frozenset(
    """adult enticing erotic erotica explicit lewd nsfw provocative racy sensual sex sexual sexually sexy suggestive
    unsafe""".split()  # noqa: SIM905
)

_GORE = frozenset(
    "blood bloody bloodshed corpse dismemberment gore gory mutilation violence violent".split()  # noqa: SIM905
)

WORDS: Mapping[str, frozenset[str]] = {"S1_IMAGE": _GORE, "S12_IMAGE": _NUDE, "S15_IMAGE": _UNFIT}
"""Words of labels, by the code that they mean. S12_IMAGE needs a label that states nudity; `nsfw` or `sexy` alone does
not."""

_NEGATING = frozenset("clean neutral no non normal not safe sfw without".split())  # noqa: SIM905

_NOT_SAFE = re.compile(r"\b(?:not|un) ?safe(?: for work)?\b")

_CAMEL_CASE_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_WORD = re.compile(r"[a-z]+")


def codes_of(label: str) -> frozenset[str]:
    """Return the codes that `label` means; none for `normal`, `non-violent`, `safe for work`, and for labels that are
    not understood.

    >>> sorted(codes_of("Pornography"))
    ['S12_IMAGE', 'S15_IMAGE']
    >>> codes_of("not_nsfw")
    frozenset()
    """
    words = _WORD.findall(
        _NOT_SAFE.sub("nsfw", " ".join(re.findall(r"[a-z]+", _CAMEL_CASE_BOUNDARY.sub(" ", label).lower())))
    )
    # The second condition is for words such as `nonviolent`.
    if any(word in _NEGATING or word.startswith("non") for word in words):
        return frozenset()
    return frozenset(code for code, meaning in WORDS.items() if not meaning.isdisjoint(words))


def meaning_of(labels: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Return the labels that mean each code, each with weight 1; codes without labels are left out."""
    labels_by_code = {code: {label: 1.0 for label in labels if code in codes_of(label)} for code in WORDS}
    return {code: found for code, found in labels_by_code.items() if found}
