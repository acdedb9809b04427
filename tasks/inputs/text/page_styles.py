"""Determines what a page's own styles hide: inline styles and the rules of its `style` elements."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import soupsieve
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from soupsieve.util import SelectorSyntaxError

from tasks.inputs.text.style_rules import COMMENT, MAX_CSS, ON_SCREEN, css_rules

_MAX_SELECTORS = 5_000
"""Largest number of selectors, of rules that can hide or show, that are applied."""
_MAX_CHECKS = 300_000
"""Largest number of comparisons of an element with the name, class or id in a part of a selector. Each takes 1 µs."""
_SIEVE_CHECKS = 40
"""Number of comparisons that the one with a whole part counts for."""
_MAX_PARTS = 8
"""Largest number of parts of a selector: `div > p.a b` has three."""
_LONGEST_SELECTOR = 300
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)
_BRACKETS = re.compile(r"\[[^\]]*\]|\([^()]*\)")
_LISTED = re.compile(rf"(?:{_BRACKETS.pattern}|[^,\[(])+")
_PART = re.compile(rf"(?:{_BRACKETS.pattern}|[^\s>\[(])+")
_BETWEEN = re.compile(r"\s*>\s*|\s+")
_UNREAD = re.compile(r"[+~|]|:(?!(?:not|is|where)\()", re.IGNORECASE)
"""Pattern of selectors that are left out: those of siblings, whose cost grows with their number, and of states."""
_FUNCTION = re.compile(r":[\w-]+\([^()]*\)")
_KEY = re.compile(r"([.#]?)((?:[\w-]|[^\x00-\x7f])+)")
_IDS, _CLASSES, _TYPES = (
    re.compile(r"#[\w-]"),
    re.compile(r"\.[\w-]|\["),
    re.compile(r"(?<![\w.#:-])[a-z]", re.IGNORECASE),
)
_ZERO = re.compile(r"[+-]?(?:0+(?:\.0*)?|\.0+)(?:[a-z]+|%)?")
_TINY = re.compile(r"\+?0*\.\d*(?:px|pt)")
_RELATIVE = re.compile(r"inherit|unset|revert(?:-layer)?|smaller|larger|[\d.]+(?:em|%)|calc\(.*\)|var\(.*\)")
_FONT_SIZE = re.compile(r"(?:^|\s)([\d.]+(?:px|pt|em|rem|%)|0)(?=\s*/|\s)")
_FAR = re.compile(r"-(?:\d{4,}(?:\.\d*)?(?:px|pt)|\d{3,}(?:\.\d*)?r?em)")
_CUT = re.compile(r"rect\(0|inset\((?:50|100)%|circle\(0[^.]")
_PLACES = frozenset({"left", "top", "right", "bottom", "text-indent", "margin-left", "margin-top"})
_RELEVANT = re.compile(r"display|visib|font|opac|clip|left|top|right|bottom|indent|\\", re.IGNORECASE)
_ALWAYS_VISIBLE = frozenset({"html", "body"})
"""Elements that many pages hide until their scripts have run."""
_INHERITED = ("visibility", "font-size")
"""Properties that hold for the elements within, which may have others."""
_KEPT = frozenset({*_INHERITED, "opacity"})
"""Properties for which an element is not removed at once."""

Weight = tuple[int, int, int, int, int, int]
"""Precedence of a declaration: `!important`, inline, the selector's specificity, and the order."""
States = Mapping[str, tuple[bool, bool]]
"""Two flags for each property: True if the value hides the element, and True if it is `!important`."""


def drop_hidden(soup: BeautifulSoup) -> None:
    """Remove from `soup` what its own styles hide.

    An element within a hidden one may be shown again, if the latter is hidden by its visibility or the size of its
    letters. Transparent elements are kept if they make up half of the page, which may wait for a script to show it.
    """
    sheet = _Sheet.of(soup)
    inherited: dict[int, dict[str, bool]] = {id(soup): {}}
    faint: list[Tag] = []
    # A removed element no longer knows its parent.
    for tag, parent in [(tag, id(tag.parent)) for tag in soup.find_all(True)]:
        above = inherited.get(parent)
        if above is None:  # an element of a removed one
            continue
        states = sheet.states(tag) if tag.name not in _ALWAYS_VISIBLE else {}
        if any(hides for name, hides in states.items() if name not in _KEPT):
            tag.decompose()
            continue
        if states.get("opacity") and not above.get("opacity"):
            faint.append(tag)
        inherited[id(tag)] = here = above | {name: hides for name, hides in states.items() if name in _KEPT}
        if any(here.get(name) for name in _INHERITED):
            if tag.name in ("img", "input"):
                tag.decompose()
                continue
            for text in [child for child in tag.contents if isinstance(child, NavigableString)]:
                text.extract()
        if above.get("opacity"):
            here["opacity"] = True
    if 2 * sum(len(tag.get_text()) for tag in faint) < len(soup.get_text()):
        for tag in faint:
            tag.decompose()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a selector, for one element."""

    key: tuple[str, str]
    """The sign and the name of an id, class or element that the part demands; ("", "") if none."""
    sieve: soupsieve.SoupSieve | None
    """The whole part; None if it demands nothing else."""


@dataclass(frozen=True, slots=True)
class _Selector:
    """A selector with the states of its rule."""

    parts: tuple["_Part", ...]
    is_child: tuple[bool, ...]
    """A flag for each part after the first: True if its element is a child of the previous one's, and not a descendant
    further down."""
    specificity: tuple[int, int, int]
    order: int
    states: States


@dataclass(slots=True)
class _Sheet:
    """The rules of a page that can hide its elements, or show them again."""

    selectors: dict[tuple[str, str], list[_Selector]] = field(default_factory=lambda: defaultdict(list))
    """Selectors by the id, class or name that their last part has; ("", "") if it has none."""
    hiding: set[str] = field(default_factory=set)
    """Properties by which a rule hides."""
    checks: int = _MAX_CHECKS

    @classmethod
    def of(cls, soup: BeautifulSoup) -> "_Sheet":
        styles = (tag for tag in soup.find_all("style") if ON_SCREEN.match(f"@media {tag.get('media') or ''}".strip()))
        css = "\n".join(tag.get_text() for tag in styles)[:MAX_CSS]
        rules = [(selectors, _states(style)) for selectors, style, always in css_rules(css) if always]
        rules = [(selectors, states) for selectors, states in rules if states]
        sheet = cls(hiding={name for _, states in rules for name, (hides, _) in states.items() if hides})
        if not sheet.hiding:
            return sheet
        split = ((one.strip(), states) for selectors, states in rules for one in _LISTED.findall(selectors))
        for order, (text, states) in enumerate(split):
            if order == _MAX_SELECTORS:
                break
            if not sheet.hiding.isdisjoint(states) and (selector := _parse_selector(text, order, states)):
                sheet.selectors[selector.parts[-1].key].append(selector)
        return sheet

    def states(self, tag: Tag) -> dict[str, bool]:
        """Return, by property, True if `tag` is hidden by it."""
        won: dict[str, tuple[Weight, bool]] = {}
        for name, (hides, important) in _states(str(tag.get("style") or "")).items():
            won[name] = (important, 1, 0, 0, 0, 0), hides
        for selector in self._candidates(tag):
            if self.checks < 0:
                break
            if self._matches(selector, tag):
                for name, (hides, important) in selector.states.items():
                    weight = (important, 0, *selector.specificity, selector.order)
                    if name not in won or weight >= won[name][0]:
                        won[name] = weight, hides
        return {name: hides for name, (_, hides) in won.items()}

    def _candidates(self, tag: Tag) -> Iterator[_Selector]:
        if not self.selectors:
            return
        classes = tag.get("class") or ()
        keys = [("", ""), ("", tag.name), ("#", str(tag.get("id") or ""))]
        for key in [*keys, *((".", name) for name in ([classes] if isinstance(classes, str) else set(classes)))]:
            yield from self.selectors.get(key, ())

    def _matches(self, selector: _Selector, tag: Tag) -> bool:
        if not self._fits(selector.parts[-1], tag):
            return False
        if len(selector.parts) == 1:
            return True
        # The elements around are walked from the outermost to the innermost. `above` has the numbers of parts that fit
        # a chain of elements that ends anywhere above, `parent` those of a chain that ends with the last element.
        above: set[int] = {0}
        parent: set[int] = {0}
        for around in reversed([*tag.parents][:-1]):
            ends = {
                count + 1
                for count in above
                if count < len(selector.parts) - 1
                and (count == 0 or not selector.is_child[count - 1] or count in parent)
                and self._fits(selector.parts[count], around)
            }
            parent = ends
            above |= ends
        last = len(selector.parts) - 1
        return last in (parent if selector.is_child[-1] else above)

    def _fits(self, part: _Part, tag: Tag) -> bool:
        self.checks -= 1
        match part.key:
            case ".", name:
                has_key = name in (tag.get("class") or ())
            case "#", name:
                has_key = tag.get("id") == name
            case _, name:
                has_key = not name or tag.name == name
        if not has_key or part.sieve is None or self.checks < 0:
            return has_key and self.checks >= 0
        self.checks -= _SIEVE_CHECKS
        return part.sieve.match(tag)


def _parse_selector(text: str, order: int, states: States) -> _Selector | None:
    plain = _BRACKETS.sub("(", text)
    parts, between = _PART.findall(text), _BETWEEN.findall(plain)
    if not 0 < len(parts) <= _MAX_PARTS or len(between) != len(parts) - 1:
        return None
    if len(text) > _LONGEST_SELECTOR or _UNREAD.search(plain):
        return None
    try:
        read = tuple(_parse_part(part) for part in parts)
    except (SelectorSyntaxError, NotImplementedError, TypeError, ValueError):
        return None
    specificity = len(_IDS.findall(text)), len(_CLASSES.findall(text)), len(_TYPES.findall(plain))
    return _Selector(read, tuple(">" in one for one in between), specificity, order, states)


def _parse_part(text: str) -> _Part:
    key = _key_of(text)
    return _Part(key, None if "".join(key) == text and text else soupsieve.compile(text))


def _key_of(text: str) -> tuple[str, str]:
    """Return the sign and the name of an id, class or element that a part of a selector demands."""
    if "\\" in text:
        return "", ""
    names = _KEY.findall(_BRACKETS.sub(" ", _FUNCTION.sub(" ", text)))
    names.sort(key=lambda named: "#.".find(named[0]) if named[0] else 2)
    if not names:
        return "", ""
    sign, name = names[0]
    return (sign, name) if sign else ("", name.lower())


def _states(style: str) -> States:
    """Return what the declarations of `style` say of the properties that can hide."""
    states: dict[str, tuple[bool, bool]] = {}
    if not _RELEVANT.search(style):
        return states
    for declaration in COMMENT.sub("", style).split(";"):
        name, colon, value = _ESCAPE.sub(_unescaped, declaration).lower().partition(":")
        value, mark, _ = value.partition("!")
        name, value, important = name.strip(), value.strip(), bool(mark)
        if not colon or (states.get(name, (False, False))[1] and not important):
            continue
        if name == "font" and (size := _FONT_SIZE.search(value)):
            name, value = "font-size", size[1]
        hides = _hides(name, value)
        if hides is not None:
            states[name] = hides, important
    return states


def _unescaped(escape: re.Match[str]) -> str:
    return escape[2] or chr(min(int(escape[1], 16), 0x10FFFF))


def _hides(name: str, value: str) -> bool | None:
    """True if a declaration hides an element, False if it shows it, None if it says nothing of it."""
    match name:
        case "display":
            return value == "none"
        case "visibility":
            return None if value in ("inherit", "unset") else value in ("hidden", "collapse")
        case "opacity":
            return bool(_ZERO.fullmatch(value))
        case "font-size":
            if _ZERO.fullmatch(value) or _TINY.fullmatch(value):
                return True
            return None if _RELATIVE.fullmatch(value) else False
        case "clip" | "clip-path":
            return bool(_CUT.match(value.replace(" ", "")))
        case _ if name in _PLACES:
            return bool(_FAR.fullmatch(value))
    return None
