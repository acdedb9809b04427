"""Orders the declarations that apply to each element of a page, as browsers do (CSS Cascading and Inheritance
Level 5, 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tasks.inputs.text.styles.declarations import Declaration, declarations_of
from tasks.inputs.text.styles.elements import Element
from tasks.inputs.text.styles.selectors import Compound, Match, Matcher, Selector, Specificity, WorkExceeded
from tasks.inputs.text.styles.style_sheets import Rule, Scope, StyleSheets

MOST_APPLIED: Final = 300_000
"""Rules are applied to elements at most this many times for a page."""


MOST_STYLES: Final = 20_000
"""At most this many different styles of elements are read."""
_LONGEST_STYLES: Final = 2_000_000
"""Different styles of elements are read up to this many characters together."""


class Applied(NamedTuple):
    """A rule that applies to an element, or to one of its pseudo-elements."""

    rule: Rule
    number: int
    """Place of the rule among all."""
    specificity: Specificity
    is_certain: bool
    pseudo_element: str


class Cascade:
    """The rules that apply to the elements of a page."""

    def __init__(self, elements: Sequence[Element], sheets: StyleSheets) -> None:
        self._applied: dict[int, list[Applied]] = defaultdict(list)
        self._ordered: dict[object, tuple[Declaration, ...]] = {}
        self._own: dict[str, tuple[Declaration, ...]] = {}
        self._characters_left = _LONGEST_STYLES
        self.is_complete = sheets.is_complete
        """False if the page has other rules, too."""
        try:
            self._apply(elements, sheets.rules)
        except (WorkExceeded, RecursionError):
            self.is_complete = False
        self.depends = any(not one.is_certain for found in self._applied.values() for one in found)
        """True if rules may apply, or not, for reasons that are not known."""

    def _apply(self, elements: Sequence[Element], rules: Sequence[Rule]) -> None:
        by_name = _by_names(elements)
        matcher = Matcher()
        left = MOST_APPLIED
        for number, rule in enumerate(rules):
            for selector in rule.selectors.selectors:
                for element in by_name.get(_name_of(selector.compounds[0][0]), ()):
                    match = _match_in_scopes(element, selector, rule.scopes, matcher)
                    if match is not False:
                        left -= 1
                        if left < 0:
                            raise WorkExceeded
                        is_certain = match is True and rule.is_certain and rule.selectors.is_known
                        self._applied[id(element)].append(
                            Applied(rule, number, selector.specificity, is_certain, selector.pseudo_element)
                        )
                matcher.forget()

    def declarations(self, element: Element, hints: str, *, with_possible: bool) -> tuple[Declaration, ...]:
        """Return the declarations for an element, those that count more after the others. `hints` are those of its
        attributes other than `style`, as a style. Rules that may not apply are included `with_possible`. Equal results
        are the same object."""
        applied = [
            one
            for one in self._applied.get(id(element), ())
            if not one.pseudo_element and (with_possible or one.is_certain)
        ]
        style = element.attributes.get("style", "")
        key = tuple([(one.number, one.specificity) for one in applied]), style, hints
        if key not in self._ordered:
            self._ordered[key] = tuple(self._in_order(applied, style, hints))
        return self._ordered[key]

    def of_pseudo_elements(self, element: Element) -> Iterator[tuple[str, tuple[Declaration, ...]]]:
        """Yield the declarations of each rule for a pseudo-element of an element, with its name."""
        for one in self._applied.get(id(element), ()):
            if one.pseudo_element:
                yield one.pseudo_element, one.rule.declarations

    def _in_order(self, applied: Sequence[Applied], style: str, hints: str) -> Iterator[Declaration]:
        own = self._declared_in(style)
        normal = sorted(applied, key=lambda one: (one.rule.layer, one.specificity, one.number))
        important = sorted(
            applied, key=lambda one: (tuple([-place for place in one.rule.layer]), one.specificity, one.number)
        )
        yield from self._declared_in(hints)
        yield from (one for each in normal for one in each.rule.declarations if not one.is_important)
        yield from (one for one in own if not one.is_important)
        yield from (one for each in important for one in each.rule.declarations if one.is_important)
        yield from (one for one in own if one.is_important)

    def _declared_in(self, style: str) -> tuple[Declaration, ...]:
        if style not in self._own:
            self._characters_left -= len(style)
            if len(self._own) >= MOST_STYLES or self._characters_left < 0:
                self.is_complete = False
                return ()
            self._own[style] = declarations_of(style) if style else ()
        return self._own[style]


def _by_names(elements: Sequence[Element]) -> Mapping[str, Sequence[Element]]:
    """Return the elements with each tag, class and id, and all elements for ""."""
    found: dict[str, list[Element]] = defaultdict(list, {"": [*elements]})
    for one in elements:
        found[one.tag].append(one)
        for name in one.classes:
            found[f".{name}"].append(one)
        if one.element_id:
            found[f"#{one.element_id}"].append(one)
    return found


def _name_of(compound: Compound) -> str:
    """Return a name that an element needs; "" if it needs none."""
    if compound.element_id:
        return f"#{compound.element_id}"
    return next((f".{name}" for name in sorted(compound.classes)), compound.tag)


def _match_in_scopes(element: Element, selector: Selector, scopes: Sequence[Scope], matcher: Matcher) -> Match:
    if not scopes:
        matcher.scope = None
        return matcher.matches(element, selector)
    if len(scopes) > 1:
        return None
    begin, end = scopes[0]
    path = [element]
    for one in element.ancestors():
        matcher.spend()
        path.append(one)
    found: Match = False
    for at, root in enumerate(path):
        matcher.scope = None
        begins = root.parent is None if begin is None else matcher.matches_any(root, begin)
        if begins is False:
            continue
        matcher.scope = root
        ends = [matcher.matches_any(one, end) for one in path[: at + 1]] if end is not None else []
        match = matcher.matches(element, selector)
        if match is False or True in ends:
            continue
        if match and begins and None not in ends:
            matcher.scope = None
            return True
        found = None
    matcher.scope = None
    return found
