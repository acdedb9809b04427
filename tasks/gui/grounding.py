"""The elements of a screen that a request means: by what is written on them, then by their type and place."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from models.vision.gui.elements import GuiElement
from tasks.wording.gui_elements import Wording

_ALIKE = 80.0
"""Likeness of 100 from which on a text is what the request says: OCR errs in a letter or two."""
_AS_GOOD = 3.0
"""Difference of likeness that does not count."""


def grounded(wording: Wording, elements: Sequence[GuiElement], width: int, height: int) -> list[GuiElement]:
    """What `wording` means of `elements`, in their order; all of them where it restricts nothing.

    What is written counts most: a type that does not fit it is taken for another word of the user's. Where nothing has
    such a text, the type decides (icons have no text); where the request names no type either, everything is
    returned, but nothing where the text was given in quotation marks.
    """
    found = list(elements)
    if wording.written:
        alike = _alike(wording.written, found)
        if not alike and not wording.types:
            return [] if wording.quoted else found
        if alike:
            found = alike
        elif wording.quoted:
            return []
    if wording.types:
        found = [one for one in found if one.type in wording.types] or (found if wording.written else [])
    if wording.order is not None and found:
        place = wording.order
        return [found[place]] if -len(found) <= place < len(found) else []
    if wording.places and len(found) > 1 and (wording.types or wording.written):
        return _at(wording, found, width, height)
    return found


def _alike(written: str, elements: Sequence[GuiElement]) -> list[GuiElement]:
    """Those whose text is most like `written`, if it is like it at all."""
    wanted = _plain(written)
    likeness = [_likeness(wanted, _plain(one.text)) for one in elements]
    best = max(likeness, default=0.0)
    if best < _ALIKE:
        return []
    return [one for one, alike in zip(elements, likeness, strict=True) if alike >= best - _AS_GOOD]


def _likeness(wanted: str, text: str) -> float:
    """Of 100. A text that has more to say than `wanted` counts a little less than one that says just it."""
    if not wanted or not text:
        return 0.0
    whole = fuzz.ratio(wanted, text)
    within = fuzz.partial_ratio(wanted, text) if 3 <= len(wanted) <= len(text) else 0.0
    # "cart" is within "Add to cart", and hardly says it in a paragraph.
    return max(whole, 0.95 * within - 10 * (1 - len(wanted) / len(text)))


def _at(wording: Wording, elements: Sequence[GuiElement], width: int, height: int) -> list[GuiElement]:
    """With "all", those in that part of the screen; else the one furthest towards it."""

    def distance(one: GuiElement) -> float:
        x, y = (one.box[0] + one.box[2]) / 2 / max(1, width), (one.box[1] + one.box[3]) / 2 / max(1, height)
        far = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y, "middle": abs(x - 0.5) + abs(y - 0.5)}
        return max(far[place] for place in wording.places)

    if wording.several:
        return [one for one in elements if distance(one) < 0.5]
    return [min(elements, key=distance)]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
