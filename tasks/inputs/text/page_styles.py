"""Finds what the styles within a page hide, strike through or set apart, in the `style` of an element or in a rule of a
`style` element: `display: none`, `visibility: hidden`, a font of no size, a line through the text, `display: block`."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum, auto
from typing import Any, Final

MAX_CHARS: Final = 500_000
"""At most this many characters of a page's style sheets are read."""

_NOT_RULES = re.compile(r"/\*.*?(?:\*/|\Z)|\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'", re.DOTALL)
"""Pattern of comments and strings, which may have braces in them."""
_BRACE = re.compile(r"[{}]")
_EVERYWHERE = re.compile(r"@media\s+(?:all|screen)|@layer\b.*|@supports\s+(?!not\b).*", re.IGNORECASE)
"""Pattern of rules around others that restrict nothing on a screen."""
_SIMPLE = re.compile(r"(?P<tag>[a-z][\w-]*)?(?P<names>(?:[.#][\w-]+)*)", re.IGNORECASE)
"""Pattern of the selectors that are compared with elements: a tag, classes and ids."""
_NAME = re.compile(r"[.#][\w-]+")
_NO_SIZE = re.compile(r"(?:^|\s)0(?:\.0+)?(?:px|em|rem|pt|%)?(?:/|\s|$)")
_APART = frozenset({"block", "flex", "grid", "list-item", "table", "table-row", "table-cell", "table-caption"})
_RELATIVE = re.compile(r"inherit|unset|(?:^|\s)[\d.]+(?:em|%)")
"""Pattern of a size that depends on that of the element around: ten times nothing is nothing."""


class Effect(Enum):
    """A style that changes how a reader of the page understands a text."""

    NOT_DISPLAYED = auto()
    """The element and all in it takes no part in the page (`display: none`)."""
    INVISIBLE = auto()
    """The element's text is not drawn (`visibility: hidden`)."""
    ZERO_SIZE = auto()
    """The element's font has no size."""
    STRUCK = auto()
    """A line goes through the element's text."""
    APART = auto()
    """The element is a block or a cell of its own, whose text does not continue the text before it."""


Effects = dict[Effect, bool]
"""True for each effect that a style has, False for each that it ends."""


class PageStyles:
    """The effects of the style sheets within a page.

    A rule for a tag, a class or an id counts if it always applies, and no other one may give the element another value.
    On a page with scripts, rules hide nothing, because a script may show it.
    """

    def __init__(self, sheets: Iterable[tuple[str, Mapping[str, Any]]], *, has_scripts: bool) -> None:
        """`sheets` are the texts and attributes of the `style` elements."""
        self._rules: defaultdict[str, set[tuple[frozenset[str], Effect, bool]]] = defaultdict(set)
        """The names in selectors with the effects of their rules and whether these are important, by a tag, or a name
        with its sign, that an element needs."""
        self._otherwise: defaultdict[tuple[Effect, bool], set[str]] = defaultdict(set)
        """Names with their signs in the selectors of rules that end an effect."""
        css = "\n".join(text for text, attributes in sheets if _is_for_screens(attributes))[:MAX_CHARS]
        for selectors, style, is_always in _rules_of(_NOT_RULES.sub(" ", css)):
            is_important = "!important" in style.replace(" ", "").lower()
            for effect, is_on in effects_of(style).items():
                if not is_on:
                    self._otherwise[effect, is_important].update(_NAME.findall(selectors))
                elif is_always and (effect in (Effect.STRUCK, Effect.APART) or not has_scripts):
                    self._add(selectors, effect, is_important)

    def effects_on(self, tag: str, attributes: Mapping[str, Any], classes: Collection[str]) -> Effects:
        """Return the effects of the page's rules and of an element's own style."""
        effects: Effects = {}
        names = {f".{one}" for one in classes} | {f"#{attributes.get('id')}"}
        for name in (tag, *names) if self._rules else ():
            for wanted, effect, is_important in self._rules.get(name, ()):
                rivals = (self._otherwise[effect, one] for one in {True, is_important})
                if wanted <= {tag, *names} and all(map(names.isdisjoint, rivals)):
                    effects[effect] = True
        for (effect, _), ending in self._otherwise.items():
            if not names.isdisjoint(ending):
                effects.setdefault(effect, False)
        return effects | effects_of(str(attributes.get("style") or ""))

    def _add(self, selectors: str, effect: Effect, is_important: bool) -> None:
        for selector in selectors.split(","):
            found = _SIMPLE.fullmatch(selector.strip())
            if found and found[0]:
                names = [*_NAME.findall(found["names"]), *filter(None, [(found["tag"] or "").lower()])]
                self._rules[names[0]].add((frozenset(names), effect, is_important))


def effects_of(style: str) -> Effects:
    """Return the effects of declarations, such as those of an element's own style."""
    effects: Effects = {}
    for declaration in style.lower().split(";") if ":" in style else ():
        name, _, value = declaration.partition(":")
        value = value.replace("!important", "").strip()
        match name.strip():
            case "display":
                effects[Effect.NOT_DISPLAYED] = value == "none"
                effects[Effect.APART] = value in _APART
            case "visibility":
                effects[Effect.INVISIBLE] = value in ("hidden", "collapse")
            case "font-size" | "font" if not _RELATIVE.search(value) or _NO_SIZE.search(value):
                effects[Effect.ZERO_SIZE] = _NO_SIZE.search(value) is not None
            case "text-decoration" | "text-decoration-line":
                effects[Effect.STRUCK] = "line-through" in value
    return effects


def _is_for_screens(attributes: Mapping[str, Any]) -> bool:
    kind, media = str(attributes.get("type") or "text/css"), str(attributes.get("media") or "all")
    return kind.strip().casefold() == "text/css" and media.strip().casefold() in ("all", "screen")


def _rules_of(css: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the selectors and the declarations of each rule, and True if the rule always applies. A rule within
    another one (`@media`) applies only in some cases, such as printing or small windows."""
    enclosing: list[str] = []
    end = 0
    for brace in _BRACE.finditer(css):
        text_before, end = css[end : brace.start()], brace.end()
        if brace[0] == "{":
            enclosing.append(text_before.rpartition(";")[2].strip())
        elif enclosing:
            selectors = enclosing.pop()
            if not selectors.startswith("@"):
                yield selectors, text_before, all(map(_EVERYWHERE.fullmatch, enclosing))
