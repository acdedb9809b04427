"""How the user wants objects reported: with outlines, and with the small ones."""

import re
from dataclasses import dataclass
from typing import Self

_OUTLINE = re.compile(
    r"\boutlin\w*|\bpolygon\w*|\bcontours?\b|\bsilhouettes?\b|\bumriss\w*|\bkontur\w*|\bumrand\w*|\bcontorn\w*|轮廓|輪郭",
    re.IGNORECASE,
)
_MASK = re.compile(
    # "People with masks" wear them.
    r"\bmask (?:out|the|all|every|each)\b|\b(?:segmentation|pixel|binary|instance) masks?\b|\bmasks? (?:of|for)\b"
    r"|\b(?:return|give(?: me)?|include|output|create|draw|produce|get) (?:\w+ ){0,3}masks?\b|\bmit masken?\b",
    re.IGNORECASE,
)
_SEGMENT = re.compile(
    r"\bsegment(?:s|ed|ing|ation|e|er|ez|a|iere\w*|eer)?\b|\bcut out\b|分割|抠图|セグメン", re.IGNORECASE
)
_SMALL = re.compile(
    r"\b(?:small|tiny|little|distant|far[- ]away) (?:\w+ )?"
    r"(?:objects?|things?|items?|details?|ones|people|persons?|cars?)\b"
    r"|\b(?:even|also|including) (?:the )?(?:small|tiny|little)\w*|\btil(?:e|es|ed|ing)\b|\bslic(?:e|es|ed|ing)\b"
    r"|\bkleine\w*|\bpetits?\b|\bpeque[ñn][ao]s?\b|\bpiccol[ei]\b|\bpequen[ao]s\b|小物体|小さい",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wishes:
    polygon: bool = False
    mask: bool = False
    small: bool = False
    """Objects that are small in a large picture: it is searched piece by piece."""

    @property
    def outlined(self) -> bool:
        return self.polygon or self.mask

    @classmethod
    def of(cls, text: str) -> Self:
        """ "Outline" asks for polygons, "mask" for masks, "segment" for both."""
        segment = bool(_SEGMENT.search(text))
        return cls(
            polygon=segment or bool(_OUTLINE.search(text)),
            mask=segment or bool(_MASK.search(text)),
            small=bool(_SMALL.search(text)),
        )
