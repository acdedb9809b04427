"""Reads the style sheets within a page: their rules, with the conditions, layers and scopes around these."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

import tinycss2
from tinycss2 import ast

from tasks.inputs.text.styles.conditions import meets_media, meets_supports
from tasks.inputs.text.styles.declarations import Declaration, declarations_in, is_known
from tasks.inputs.text.styles.elements import Element, PageTree, divided
from tasks.inputs.text.styles.selectors import SelectorError, SelectorList, parse_selectors
from tasks.inputs.text.styles.values import parseable, significant, split_at_commas, trimmed

MAX_CHARS: Final = 500_000
"""At most this many characters of a page's style sheets are read."""
MAX_MEDIA: Final = 2_000
"""At most this many characters of an element's media query are read."""
_DEEPEST: Final = 12
"""Rules and style sheets with more others around them than this are not read."""
_LAST: Final = 1_000_000
"""Number of the declarations of a layer that are in none of its own layers."""

_ONLY_FONTS: Final = frozenset(("fonts.googleapis.com", "fonts.bunny.net", "use.typekit.net"))
"""Hosts whose style sheets name fonts, and have no rules for elements."""

_CHOOSING: Final = frozenset(("content-security-policy", "default-style"))
"""Kinds of `meta` elements by which browsers apply only some of the styles."""
_PLAIN_LINK: Final = frozenset(("rel", "href", "type", "media", "id", "class"))
"""Attributes of a `link` element with which browsers certainly apply its style sheet."""
_FETCHED: Final = re.compile(r"(?:https?:)?[\w./%?#&=+@~!,;-]*", re.ASCII | re.IGNORECASE)
"""Pattern of the address of a file that is not within the page."""
_PLAIN_DATA: Final = re.compile(
    r"data:text/css(?:;charset=utf-8)?(?P<base64>;base64)?,(?P<data>[ -\"$-~]*)", re.IGNORECASE
)
"""Pattern of a data URL that every browser reads as the same style sheet."""

Layer = tuple[int, ...]
"""Place of a layer among all layers. Later ones count more; what is in no layer counts most."""


Scope = tuple[SelectorList | None, SelectorList | None]
"""Elements with which the parts of a page begin in which a rule applies, and those with which they end."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    selectors: SelectorList
    declarations: tuple[Declaration, ...]
    is_certain: bool
    """False if it depends on a condition that is not known."""
    layer: Layer
    scopes: tuple[Scope, ...] = ()


@dataclass(slots=True)
class StyleSheets:
    """The style sheets of a page in a browser on a desk."""

    rules: list[Rule] = field(default_factory=list)
    is_complete: bool = True
    """False if the page has style sheets elsewhere, more than are read, or some that are not understood; or fonts
    within the page, whose letters may be blank or look like others."""

    @classmethod
    def of(cls, tree: PageTree) -> StyleSheets:
        sheets = cls()
        reader = _SheetReader(sheets, tree.ignores_case)
        for one in tree.elements:
            if one.tag == "style" and one.text.strip() and not _is_usual(one):
                sheets.is_complete = False
            if _changes_at_once(one):
                sheets.is_complete = False
            if one.tag in ("style", "link") and _is_in_use(one):
                reader.read_element(one)
        return sheets


def _is_usual(sheet: Element) -> bool:
    """False for a `style` element that browsers may use, or not, for reasons that are not judged here."""
    is_css = sheet.attributes.get("type", "").lower() in ("", "text/css")
    is_foreign = any(one.tag in ("svg", "math") for one in sheet.ancestors())
    return is_css and not is_foreign and sheet.attributes.keys().isdisjoint(("disabled", "title"))


def _changes_at_once(element: Element) -> bool:
    """True if browsers choose among styles, or change an attribute or the focus, when they open the page."""
    attributes = element.attributes
    if element.tag == "meta":
        return attributes.get("http-equiv", "").lower() in _CHOOSING
    return "autofocus" in attributes or (element.tag == "details" and {"open", "name"} <= attributes.keys())


def _is_in_use(sheet: Element) -> bool:
    kind = sheet.attributes.get("type") or "text/css"
    is_css = kind.partition(";")[0].strip().casefold() == "text/css"
    if sheet.is_inert or "disabled" in sheet.attributes or not is_css:
        return False
    # A reader has to choose an `alternate` style sheet.
    relations = {*divided(sheet.attributes.get("rel", "").lower())}
    return sheet.tag == "style" or ("stylesheet" in relations and "alternate" not in relations)


@dataclass(frozen=True, slots=True)
class _RuleContext:
    """The rules and conditions around a rule."""

    is_certain: bool = True
    layer: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    parent: SelectorList | None = None
    depth: int = 0


class _SheetReader:
    def __init__(self, sheets: StyleSheets, ignores_case: bool) -> None:
        self._sheets = sheets
        self._ignores_case = ignores_case
        self._left = MAX_CHARS
        self._layers: dict[tuple[str, ...], dict[str, int]] = {}
        """Numbers of the layers within each layer."""
        self._nameless = count()

    def read_element(self, sheet: Element) -> None:
        media = parseable(sheet.attributes.get("media", "")[:MAX_MEDIA])
        met = meets_media(tinycss2.parse_component_value_list(media))
        if met is False:
            return
        around = _RuleContext(is_certain=met is True)
        if sheet.tag == "style":
            self._read(sheet.text, around)
        elif url := sheet.attributes.get("href"):
            self._read_url(url, around, is_plain=sheet.attributes.keys() <= _PLAIN_LINK)

    def _read_url(self, url: str, around: _RuleContext, *, is_plain: bool = True) -> None:
        text = _text_in_url(url) if is_plain else None
        if text is not None and around.depth <= _DEEPEST:
            self._read(text, around)
        elif not _has_only_fonts(url):
            self._sheets.is_complete = False

    def _read(self, css: str, around: _RuleContext) -> None:
        if len(css) > self._left:
            self._sheets.is_complete = False
        css = css[: self._left]
        self._left -= len(css)
        may_import = True
        for rule in tinycss2.parse_stylesheet(parseable(css), skip_comments=True, skip_whitespace=True):
            is_import = rule.type == "at-rule" and rule.lower_at_keyword == "import"
            if is_import and may_import and rule.content is None:
                self._import(rule, around)
            elif is_import:
                self._sheets.is_complete = False  # only what browsers know before it makes it void
            else:
                may_import &= rule.type == "at-rule" and rule.lower_at_keyword in ("charset", "layer")
                self._read_rule(rule, around)

    def _import(self, rule: ast.AtRule, around: _RuleContext) -> None:
        tokens = significant(rule.prelude)
        url = ""
        if tokens and tokens[0].type in ("url", "string"):
            url = tokens[0].value
        elif tokens and tokens[0].type == "function" and tokens[0].lower_name == "url":
            url = next((one.value for one in tokens[0].arguments if one.type == "string"), "")
        rest = tokens[1:]
        layer, is_certain = around.layer, around.is_certain
        if rest and (rest[0].type == "ident" and rest[0].lower_value == "layer"):
            layer = self._layer([], around)
            rest = rest[1:]
        elif rest and rest[0].type == "function" and rest[0].lower_name == "layer":
            layer = self._layer(rest[0].arguments, around)
            rest = rest[1:]
        if rest and rest[0].type == "function":
            rest, is_certain = rest[1:], False
        met = meets_media(rest)
        if met is not False:
            self._read_url(url, _RuleContext(is_certain and met is True, layer, around.scopes, None, around.depth + 1))

    def _read_rule(self, rule: ast.Node, around: _RuleContext) -> None:
        if isinstance(rule, ast.QualifiedRule):
            try:
                selectors = parse_selectors(
                    rule.prelude, ignores_case=self._ignores_case, nested_in=around.parent, depth=around.depth
                )
            except SelectorError:
                return
            if around.parent is not None or not selectors.is_known:
                # Nobody can tell which elements it is for, or where it stands among the others.
                self._sheets.is_complete = False
            self._read_block(rule.content, around, selectors)
        elif isinstance(rule, ast.AtRule) and rule.content is not None:
            self._read_at_rule(rule, around)
        elif isinstance(rule, ast.AtRule) and rule.lower_at_keyword == "namespace":
            self._sheets.is_complete = False
        elif isinstance(rule, ast.AtRule) and rule.lower_at_keyword == "layer":
            for name in split_at_commas(rule.prelude):
                self._layer(name, around)

    def _read_block(self, content: Sequence[Any], around: _RuleContext, selectors: SelectorList | None) -> None:
        """Read the declarations of a rule, and the rules within it. Without `selectors`, they are those of the rule
        around it."""
        if around.depth > _DEEPEST:
            self._sheets.is_complete = False
            return
        inner = _RuleContext(
            around.is_certain, around.layer, around.scopes, selectors or around.parent, around.depth + 1
        )
        parts = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
        declared = tuple(declarations_in(parts))
        if declared and inner.parent is not None:
            self._sheets.rules.append(
                Rule(inner.parent, declared, around.is_certain, self._place(around.layer), around.scopes)
            )
        for part in parts:
            if part.type in ("qualified-rule", "at-rule"):
                self._read_rule(part, inner)

    def _read_at_rule(self, rule: ast.AtRule, around: _RuleContext) -> None:
        met: bool | None = True
        layer, scopes, parent = around.layer, around.scopes, around.parent
        match rule.lower_at_keyword:
            case "media":
                met = meets_media(rule.prelude)
            case "supports":
                met = meets_supports(rule.prelude, is_known)
            case "layer":
                layer = self._layer(rule.prelude, around)
            case "scope":
                found = self._scope(rule.prelude)
                met = True if found is not None else None
                self._sheets.is_complete = False
                scopes = (*scopes, found) if found is not None else scopes
                parent = None
            case "property":
                self._sheets.is_complete = False  # values of another syntax than it names count as none
                return
            case "font-face":
                self._read_font(rule)
                return
            case "container" | "starting-style" | "position-try" | "function":
                met = None
                self._sheets.is_complete = False
            case _:
                return  # `@keyframes`, `@page` and others without rules for elements at rest
        if met is False:
            return
        inner = _RuleContext(around.is_certain and met is True, layer, scopes, parent, around.depth + 1)
        if inner.depth > _DEEPEST:
            self._sheets.is_complete = False
        elif parent is not None:
            self._read_block(rule.content, inner, None)
        else:
            for one in tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True):
                self._read_rule(one, inner)

    def _scope(self, prelude: Sequence[Any]) -> Scope | None:
        """Return the selectors of the beginnings and the ends of a scope; None if they cannot be read."""
        blocks = [one for one in significant(prelude) if one.type == "() block"]
        if len(blocks) > 2:
            return None
        try:
            found = [parse_selectors(one.content, ignores_case=self._ignores_case) for one in blocks]
        except SelectorError:
            return None
        names = [one.lower_value for one in significant(prelude) if one.type == "ident"]
        if names == ["to"] and len(found) == 1:
            return None, found[0]
        if names not in ([], ["to"]) or not found:
            return None
        return found[0], found[1] if len(found) == 2 else None

    def _read_font(self, rule: ast.AtRule) -> None:
        for one in declarations_in(tinycss2.parse_blocks_contents(rule.content)):
            if one.name != "font-family" and not (one.name == "src" and _is_fetched(one.tokens)):
                self._sheets.is_complete = False

    def _layer(self, name: Sequence[Any], around: _RuleContext) -> tuple[str, ...]:
        """Return the path of a layer within those around a rule, and give it its place if it is new."""
        tokens = trimmed(name)
        parts = [one.value for one in tokens[::2] if one.type == "ident"]
        if 2 * len(parts) != len(tokens) + bool(tokens) or any(one != "." for one in tokens[1::2]):
            self._sheets.is_complete = False  # a malformed name, for which browsers drop the rule
        path = around.layer
        for part in parts[:_DEEPEST] or [f" {next(self._nameless)}"]:
            places = self._layers.setdefault(path, {})
            places.setdefault(part, len(places))
            path = (*path, part)
        return path

    def _place(self, layer: tuple[str, ...]) -> Layer:
        return (*(self._layers[layer[:at]][name] for at, name in enumerate(layer)), _LAST)


def _has_only_fonts(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _ONLY_FONTS
    except ValueError:
        return False


def _is_fetched(source: Sequence[Any]) -> bool:
    """True if no font is within the page."""
    for one in significant(source):
        url = one.value if one.type == "url" else None
        if one.type == "function" and one.lower_name == "url":
            url = next((part.value for part in one.arguments if part.type == "string"), None)
        is_other = one == "," or (one.type == "function" and one.lower_name in ("local", "format", "tech"))
        if not is_other and (url is None or not _FETCHED.fullmatch(url)):
            return False
    return bool(source)


def _text_in_url(url: str) -> str | None:
    """Return the text in a data URL; None for other URLs, and for those that browsers may read in another way."""
    found = _PLAIN_DATA.fullmatch(url[: 4 * MAX_CHARS].strip(" "))
    if not found:
        return None
    content = unquote_to_bytes(found["data"])
    try:
        text = (b64decode(content, validate=True) if found["base64"] else content).decode("ascii")
    except ValueError:
        return None
    return None if "@charset" in text.lower() else text
