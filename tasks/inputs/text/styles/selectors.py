"""Parses selectors of style sheets (Selectors Level 4), and compares them with elements.

Whether an element matches is True, False or None. None stands for a selector whose meaning is not known here, such as
one of a newer standard. What depends on the reader's actions, such as `:hover`, does not match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from tinycss2 import ast, nth

from tasks.inputs.text.styles.elements import Element, divided
from tasks.inputs.text.styles.values import SMALL_ASCII, split_at_commas, trimmed, words

Match = bool | None
Specificity = tuple[int, int, int]
"""Numbers of ids, of classes, attributes and pseudo-classes, and of tags and pseudo-elements in a selector."""
Tokens = Sequence[Any]
Test = Callable[[Element, "Matcher"], Match]

MOST_COMPARED: Final = 2_000_000
"""Elements are compared with parts of selectors at most this many times for a page, which takes two seconds."""
_DEEPEST: Final = 12
"""Selectors are nested in others (`:is(…)`) at most this deep."""
_MOST_COMPOUNDS: Final = 40
"""A selector with more compounds is cut, and whether it matches is not known."""
_COMBINATORS: Final = frozenset(">+~")
_AT_REST: Final = words(
    "active autofill -webkit-autofill current focus focus-visible focus-within fullscreen future hover "
    "host modal past picture-in-picture playing popover-open seeking target target-within user-invalid "
    "user-valid -webkit-full-screen"
)
"""Pseudo-classes that no element has before a reader does something."""
_LINKS: Final = {"any-link": True, "-webkit-any-link": True, "link": None, "visited": None}
"""Pseudo-classes of links. Nobody knows which ones a reader has visited."""
_LISTS: Final = frozenset(("is", "where", "-webkit-any"))
_OLD_PSEUDO_ELEMENTS: Final = frozenset(("before", "after", "first-line", "first-letter"))
"""Pseudo-elements that may have a single colon."""
_OTHER_PSEUDO_ELEMENTS: Final = words(
    "selection placeholder marker backdrop file-selector-button -webkit-scrollbar -webkit-scrollbar-thumb "
    "-webkit-scrollbar-track -webkit-scrollbar-corner -webkit-inner-spin-button -webkit-outer-spin-button "
    "-webkit-search-decoration -webkit-search-cancel-button -webkit-file-upload-button -webkit-input-placeholder"
)
"""Pseudo-elements whose styles change no text."""
_OTHER_BROWSERS: Final = ("-moz-", "-ms-", "-o-")
"""Beginnings of names for which Chromium drops a rule."""
_CHECKED: Final = words("input option")
_FORM_CONTROLS: Final = words("button input select textarea optgroup option fieldset")
_PLACES: Final[dict[str, Callable[[Element], bool]]] = {
    "root": lambda one: one.parent is None,
    "empty": lambda one: one.is_empty,
    "first-child": lambda one: one.index == 0,
    "last-child": lambda one: one.index == len(one.siblings) - 1,
    "only-child": lambda one: len(one.siblings) == 1,
    "first-of-type": lambda one: one.type_index == 0,
    "last-of-type": lambda one: one.type_index == _same_type(one) - 1,
    "only-of-type": lambda one: _same_type(one) == 1,
    "defined": lambda one: "-" not in one.tag,
}
_STATES: Final[dict[str, Callable[[Element], Match]]] = {
    "checked": lambda one: False if one.tag not in _CHECKED else "checked" in one.attributes or None,
    "disabled": lambda one: False if one.tag not in _FORM_CONTROLS else "disabled" in one.attributes or None,
    "open": lambda one: one.tag in ("details", "dialog") and "open" in one.attributes,
}
"""Pseudo-classes of some tags. Other elements may decide on them."""
_COUNTED: Final = frozenset(("nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"))


class SelectorError(ValueError):
    """A selector is malformed, so that browsers drop its rule."""


class WorkExceeded(Exception):
    """A page needs more comparisons than MOST_COMPARED."""


class Compound(NamedTuple):
    """Conditions for one element, such as `p.note:first-child`."""

    tag: str
    """"" for any."""
    element_id: str
    classes: frozenset[str]
    tests: tuple[Test, ...]


class Selector(NamedTuple):
    """Compounds from right to left, each with the combinator to its left; the last one has none."""

    compounds: tuple[tuple[Compound, str], ...]
    specificity: Specificity
    pseudo_element: str = ""
    """Name of the pseudo-element to which the rule applies; "" for the element itself."""


class SelectorList(NamedTuple):
    selectors: tuple[Selector, ...]
    is_known: bool = True
    """False if it has a name that is not known here. Browsers drop the whole rule if they do not know it either."""

    @property
    def specificity(self) -> Specificity:
        return max((one.specificity for one in self.selectors), default=(0, 0, 0))


class Matcher:
    """Compares elements with selectors, in at most MOST_COMPARED steps."""

    def __init__(self) -> None:
        self._left = MOST_COMPARED
        self._known: dict[tuple[int, int, int, int], Match] = {}
        self._kept: dict[int, object] = {}
        """The owners of the identities in `_known`, so that nothing else gets these."""
        self.scope: Element | None = None
        """The element that `:scope` stands for; None for the root."""

    def forget(self) -> None:
        """Free the memory for the comparisons so far."""
        self._known.clear()
        self._kept.clear()

    def matches_any(self, element: Element, selectors: SelectorList) -> Match:
        """True if one of the selectors matches. Raises WorkExceeded."""
        key = (id(selectors.selectors), 0, id(element), id(self.scope))
        if key not in self._known:
            self._kept[key[0]] = selectors.selectors
            self._known[key] = self._any(element, selectors)
        return self._known[key]

    def _any(self, element: Element, selectors: SelectorList) -> Match:
        found: Match = False
        for one in selectors.selectors:
            if one.pseudo_element:
                continue
            match = self.matches(element, one)
            if match:
                return True if selectors.is_known else None
            found = None if match is None else found
        return found

    def matches(self, element: Element, selector: Selector, at: int = 0) -> Match:
        """True if the compounds of the selector from number `at` match. Raises WorkExceeded."""
        if at == 0:
            return self._compared(element, selector, at)
        key = (id(selector.compounds), at, id(element), id(self.scope))
        if key not in self._known:
            self._kept[key[0]] = selector.compounds
            self._known[key] = self._compared(element, selector, at)
        return self._known[key]

    def _compared(self, element: Element, selector: Selector, at: int) -> Match:
        compound, combinator = selector.compounds[at]
        own = self.fits(element, compound)
        if own is False or at + 1 == len(selector.compounds):
            return own
        others: Iterator[Element]
        match combinator:
            case ">":
                others = iter([element.parent] if element.parent is not None else [])
            case "+":
                others = iter(element.siblings[element.index - 1 : element.index] if element.index else [])
            case "~":
                others = (element.siblings[at] for at in range(element.index - 1, -1, -1))
            case _:
                others = element.ancestors()
        found: Match = False
        for other in others:
            self.spend()
            match = self.matches(other, selector, at + 1)
            if match:
                return own
            found = None if match is None else found
        return found

    def fits(self, element: Element, compound: Compound) -> Match:
        """True if the element meets all conditions of the compound. Raises WorkExceeded."""
        self.spend()
        if compound.tag and compound.tag != element.tag:
            return False
        if compound.element_id and compound.element_id != element.element_id:
            return False
        if not compound.classes <= element.classes:
            return False
        found: Match = True
        for test in compound.tests:
            self.spend()
            match = test(element, self)
            if match is False:
                return False
            found = None if match is None else found
        return found

    def spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise WorkExceeded


def parse_selectors(
    tokens: Tokens, *, ignores_case: bool = False, nested_in: SelectorList | None = None, depth: int = 0
) -> SelectorList:
    """Parse a list of selectors. `nested_in` is the list of the rule around this one, to which `&` refers.

    Raises SelectorError.
    """
    return _SelectorParser(ignores_case, nested_in, depth).selectors(tokens)


def _same_type(element: Element) -> int:
    return element.parent.types[element.tag] if element.parent is not None else 1


class _SelectorParser:
    def __init__(self, ignores_case: bool, nested_in: SelectorList | None, depth: int) -> None:
        if depth > _DEEPEST:
            raise SelectorError("nested too deep")
        self._ignores_case = ignores_case
        self._nested_in = nested_in
        self._depth = depth
        self._is_known = True
        self._is_in_has = False

    def selectors(self, tokens: Tokens, *, relative: bool = False) -> SelectorList:
        found = [self._selector(one, relative) for one in split_at_commas(tokens)]
        return SelectorList(tuple(found), self._is_known)

    def _inner(self, tokens: Tokens, *, relative: bool = False) -> SelectorList:
        parser = _SelectorParser(self._ignores_case, self._nested_in, self._depth + 1)
        parser._is_in_has = relative or self._is_in_has
        found = parser.selectors(tokens, relative=relative)
        self._is_known &= found.is_known
        return found

    def _selector(self, tokens: Tokens, relative: bool) -> Selector:
        """Parse one selector. A `relative` one begins, or might begin, with a combinator: `:has(> a)`."""
        parts: list[tuple[list[Any], str]] = [([], "")]
        """Tokens of each compound, with the combinator before it."""
        for token in trimmed(tokens):
            combinator = token.value if token.type == "literal" else " " if token.type == "whitespace" else ""
            if combinator in _COMBINATORS or combinator == " ":
                if parts[-1][0]:
                    parts.append(([], combinator))
                elif combinator != " ":
                    if parts[-1][1] in _COMBINATORS:
                        raise SelectorError("two combinators")
                    parts[-1] = ([], combinator)
            else:
                parts[-1][0].append(token)
        if not parts[-1][0]:
            raise SelectorError("nothing after a combinator")
        begins_nested = self._nested_in is not None and not relative and not _has_nesting(tokens)
        if parts[0][1] and not (relative or begins_nested):
            raise SelectorError("nothing before a combinator")
        specificity = [0, 0, 0]
        compounds: list[tuple[Compound, str]] = []
        pseudo_element = ""
        for content, combinator in parts:
            compound, pseudo_element = self._compound(content, specificity)
            compounds.append((compound, combinator))
        if begins_nested and self._nested_in is not None:
            compounds.insert(0, (Compound("", "", frozenset(), (_is_within(self._nested_in),)), ""))
            compounds[1] = (compounds[1][0], compounds[1][1] or " ")
            specificity = [a + b for a, b in zip(specificity, self._nested_in.specificity, strict=True)]
        elif relative:
            compounds[0] = (compounds[0][0], compounds[0][1] or " ")
        if len(compounds) > _MOST_COMPOUNDS:
            compounds = compounds[-_MOST_COMPOUNDS:]
            self._is_known = False
        a, b, c = specificity
        return Selector(tuple(reversed(compounds)), (a, b, c), pseudo_element)

    def _compound(self, tokens: list[Any], specificity: list[int]) -> tuple[Compound, str]:
        if any(one == "|" or one.type == "unicode-range" for one in tokens):
            # A namespace: HTML has only one, but SVG and MathML have theirs. Browsers read `u+b` as two tags.
            self._is_known = False
            return Compound("", "", frozenset(), (lambda _one, _matcher: None,)), ""
        tag = element_id = pseudo_element = ""
        classes: set[str] = set()
        tests: list[Test] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if pseudo_element and not (token.type == "literal" and token.value == ":"):
                if token.type in ("ident", "function"):
                    continue
                raise SelectorError("conditions after a pseudo-element")
            if token.type == "ident":
                if at > 1:
                    raise SelectorError("a tag after other conditions")
                tag = token.lower_value
                specificity[2] += 1
            elif token.type == "hash" and token.is_identifier:
                own = token.value.lower() if self._ignores_case else token.value
                if element_id and element_id != own:
                    tests.append(lambda _one, _matcher: False)
                element_id = own
                specificity[0] += 1
            elif token.type == "[] block":
                tests.append(self._attribute(token.content))
                specificity[1] += 1
            elif token.type != "literal":
                raise SelectorError(token.type)
            elif token.value == "*":
                if at > 1:
                    raise SelectorError("* after other conditions")
            elif token.value == "&":
                if self._nested_in is None:
                    tests.append(_is_scope)
                else:
                    tests.append(_is_within(self._nested_in))
                    specificity[:] = [a + b for a, b in zip(specificity, self._nested_in.specificity, strict=True)]
            elif token.value == "." and at < len(tokens) and tokens[at].type == "ident":
                classes.add(tokens[at].lower_value if self._ignores_case else tokens[at].value)
                specificity[1] += 1
                at += 1
            elif token.value == ":" and at < len(tokens):
                colons = 1
                while at < len(tokens) and tokens[at].type == "literal" and tokens[at].value == ":":
                    colons += 1
                    at += 1
                if colons > 2 or at == len(tokens) or tokens[at].type not in ("ident", "function"):
                    raise SelectorError("a colon without a name")
                name = _name_of(tokens[at])
                if name.startswith(_OTHER_BROWSERS):
                    raise SelectorError(name)
                if colons == 2 or name in _OLD_PSEUDO_ELEMENTS:
                    self._is_known &= name in _OLD_PSEUDO_ELEMENTS or name in _OTHER_PSEUDO_ELEMENTS
                    pseudo_element = name
                    specificity[2] += 1
                elif pseudo_element:
                    tests.append(lambda _one, _matcher: None)
                else:
                    tests.append(self._pseudo_class(tokens[at], specificity))
                at += 1
            else:
                raise SelectorError(token.value)
        return Compound(tag, element_id, frozenset(classes), tuple(tests)), pseudo_element

    def _attribute(self, tokens: Tokens) -> Test:
        content = [one for one in tokens if one.type not in ("whitespace", "comment")]
        if any(one.type == "literal" and one.value in ("|", "*") for one in content[:2]):
            self._is_known = False  # a namespace
            return lambda _one, _matcher: None
        if not content or content[0].type != "ident":
            raise SelectorError("an attribute without a name")
        name = content[0].lower_value
        if len(content) == 1:
            return lambda one, _matcher: name in one.attributes
        sign = content[1].value if content[1].type == "literal" else ""
        if len(content) < 3 or sign not in ("=", "~=", "|=", "^=", "$=", "*="):
            self._is_known = False
            return lambda _one, _matcher: None
        if content[2].type not in ("ident", "string"):
            raise SelectorError("an attribute without a value")
        value = content[2].value
        flag = content[3].lower_value if len(content) == 4 and content[3].type == "ident" else ""
        if len(content) > 3 and flag not in ("i", "s"):
            raise SelectorError("an attribute with more than a value")

        def test(one: Element, _matcher: Matcher) -> Match:
            own = one.attributes.get(name)
            if own is None:
                return False
            if flag == "i":
                return _has_value(own.translate(SMALL_ASCII), sign, value.translate(SMALL_ASCII))
            has_value = _has_value(own, sign, value)
            # Values of some attributes, such as `type` and `align`, are the same in letters of any size.
            is_same = has_value or flag == "s" or not _has_value(own.lower(), sign, value.lower())
            return has_value if is_same else None

        return test

    def _pseudo_class(self, token: Any, specificity: list[int]) -> Test:
        name = _name_of(token)
        arguments = token.arguments if token.type == "function" else None
        if name != "where" and name not in _LISTS and name not in ("not", "has"):
            specificity[1] += 1
        if arguments is None:
            if name in _PLACES:
                place = _PLACES[name]
                return lambda one, _matcher: place(one)
            if name in _STATES:
                state = _STATES[name]
                return lambda one, _matcher: state(one)
            if name in _AT_REST:
                return lambda _one, _matcher: False
            if name in _LINKS:
                match = _LINKS[name]
                return lambda one, _matcher: match if one.tag in ("a", "area") and "href" in one.attributes else False
            if name == "scope":
                return _is_scope
        elif name in _LISTS or name in ("not", "has"):
            if name == "has" and self._is_in_has:
                raise SelectorError(":has() in :has()")
            try:
                inner = self._inner(arguments, relative=name == "has")
            except SelectorError:
                if name in ("not", "has"):
                    raise
                inner = SelectorList((), is_known=False)
                self._is_known = False
            if name != "where":
                specificity[:] = [a + b for a, b in zip(specificity, inner.specificity, strict=True)]
            if name == "has":
                return _has(inner)
            is_within = _is_within(inner)
            return is_within if name != "not" else lambda one, matcher: _negated(is_within(one, matcher))
        elif name in _COUNTED:
            return self._counted(name, arguments, specificity)
        elif name == "lang":
            languages = [one.value.lower() for one in arguments if one.type in ("ident", "string")]
            return lambda one, matcher: _is_in_language(one, languages, matcher)
        self._is_known = False
        return lambda _one, _matcher: None

    def _counted(self, name: str, arguments: Tokens, specificity: list[int]) -> Test:
        of = next((at for at, one in enumerate(arguments) if one.type == "ident" and one.lower_value == "of"), None)
        places = nth.parse_nth(arguments[:of])
        if places is None:
            raise SelectorError("places that are no An+B")
        step, first = places
        among = None
        if of is not None:
            among = self._inner(arguments[of + 1 :])
            specificity[:] = [a + b for a, b in zip(specificity, among.specificity, strict=True)]

        def test(one: Element, matcher: Matcher) -> Match:
            if among is not None:
                matcher.spend(len(one.siblings))
                if (own := matcher.matches_any(one, among)) is not True:
                    return own
                found = [matcher.matches_any(other, among) for other in one.siblings]
                if None in found:
                    return None
                before, total = sum(map(bool, found[: one.index])), sum(map(bool, found))
            elif name.endswith("of-type"):
                before, total = one.type_index, _same_type(one)
            else:
                before, total = one.index, len(one.siblings)
            place = total - before if "last" in name else before + 1
            is_there = place == first if step == 0 else (place - first) % step == 0 and (place - first) // step >= 0
            return bool(is_there)

        return test


def _has_nesting(tokens: Tokens) -> bool:
    """True if `&` is anywhere in a selector."""
    left = [tokens]
    while left:
        for token in left.pop():
            if token.type == "literal" and token.value == "&":
                return True
            if isinstance(token, ast.FunctionBlock):
                left.append(token.arguments)
    return False


def _name_of(token: Any) -> str:
    return str(token.lower_name if token.type == "function" else token.lower_value)


def _is_within(selectors: SelectorList) -> Test:
    return lambda one, matcher: matcher.matches_any(one, selectors)


def _is_scope(one: Element, matcher: Matcher) -> Match:
    return one.parent is None if matcher.scope is None else one is matcher.scope


def _negated(match: Match) -> Match:
    return None if match is None else not match


def _has_value(own: str, sign: str, value: str) -> bool:
    match sign:
        case "=":
            return own == value
        case "~=":
            return value in divided(own)
        case "|=":
            return own == value or own.startswith(f"{value}-")
    if not value:
        return False
    return {"^=": own.startswith, "$=": own.endswith, "*=": own.__contains__}[sign](value)


def _is_in_language(one: Element, languages: Sequence[str], matcher: Matcher) -> Match:
    for element in (one, *one.ancestors()):
        matcher.spend()
        if "lang" in element.attributes:
            language = element.attributes["lang"].lower()
            return any(_has_value(language, "|=", each) for each in languages)
    return None  # a header or a `meta` element may tell it


def _has(inner: SelectorList) -> Test:
    def test(one: Element, matcher: Matcher) -> Match:
        found: Match = False
        for selector in inner.selectors:
            match = _has_one(one, selector, matcher)
            if match:
                return True if inner.is_known else None
            found = None if match is None else found
        return found

    return test


def _has_one(one: Element, selector: Selector, matcher: Matcher) -> Match:
    """True if an element around which `one` is placed as the leftmost combinator asks matches."""
    anchor = (Compound("", "", frozenset(), (lambda other, _matcher: other is one,)), "")
    anchored = Selector((*selector.compounds, anchor), selector.specificity)
    is_beside = any(combinator in ("+", "~") for _, combinator in selector.compounds)
    others = (
        one.descendants()
        if not is_beside
        else (
            other
            for neighbour in islice(one.siblings, one.index, None)
            for other in (neighbour, *neighbour.descendants())
        )
    )
    found: Match = False
    for other in others:
        matcher.spend()
        match = matcher.matches(other, anchored)
        if match:
            return True
        found = None if match is None else found
    return found
