"""Reads the style sheets within a page: their rules, with the conditions, layers and scopes around these."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

import tinycss2
from tinycss2 import ast

from tasks.inputs.text.styles.conditions import meets_media, meets_supports
from tasks.inputs.text.styles.declarations import Declaration, declarations_in, is_known
from tasks.inputs.text.styles.elements import Element, PageTree
from tasks.inputs.text.styles.selectors import SelectorError, SelectorList, parse_selectors
from tasks.inputs.text.styles.values import parseable, significant, written

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
    initial_values: dict[str, Any] = field(default_factory=dict)
    """Initial values of custom properties, by their names."""
    own_properties: set[str] = field(default_factory=set)
    """Custom properties that elements do not inherit."""
    own_fonts: set[str] = field(default_factory=set)
    """Names of fonts whose shapes are within the page, so that their letters may look like others."""
    is_complete: bool = True
    """False if the page has style sheets elsewhere, more than are read, or some that are not understood."""

    @classmethod
    def of(cls, tree: PageTree) -> StyleSheets:
        sheets = cls()
        reader = _SheetReader(sheets, tree.ignores_case)
        for one in tree.elements:
            if one.tag == "style" and one.text.strip() and not _is_usual(one):
                sheets.is_complete = False
            if one.tag in ("style", "link") and _is_in_use(one):
                reader.read_element(one)
        return sheets


def _is_usual(sheet: Element) -> bool:
    """False for a `style` element that browsers may use, or not, for reasons that are not judged here."""
    is_css = sheet.attributes.get("type", "").lower() in ("", "text/css")
    is_foreign = any(one.tag in ("svg", "math") for one in sheet.ancestors())
    return is_css and not is_foreign and sheet.attributes.keys().isdisjoint(("disabled", "title"))


def _is_in_use(sheet: Element) -> bool:
    kind = sheet.attributes.get("type") or "text/css"
    is_css = kind.partition(";")[0].strip().casefold() == "text/css"
    if sheet.is_inert or "disabled" in sheet.attributes or not is_css:
        return False
    # A reader has to choose an `alternate` style sheet.
    relations = {*sheet.attributes.get("rel", "").casefold().split()}
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

    def read_element(self, sheet: Element) -> None:
        media = parseable(sheet.attributes.get("media", "")[:MAX_MEDIA])
        met = meets_media(tinycss2.parse_component_value_list(media))
        if met is False:
            return
        around = _RuleContext(is_certain=met is True)
        if sheet.tag == "style":
            self._read(sheet.text, around)
        elif url := sheet.attributes.get("href"):
            self._read_url(url, around)

    def _read_url(self, url: str, around: _RuleContext) -> None:
        text = _text_in_url(url)
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
            if is_import and may_import:
                self._import(rule, around)
            elif not is_import:
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
            layer = self._named(layer, f" {len(self._layers)}")
            rest = rest[1:]
        elif rest and rest[0].type == "function" and rest[0].lower_name == "layer":
            layer = self._named(layer, written(rest[0].arguments))
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
            for name in written(rule.prelude).split(","):
                self._named(around.layer, name.strip())

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
                layer = self._named(layer, written(rule.prelude) or f" {len(self._layers)}")
            case "scope":
                found = self._scope(rule.prelude)
                met = True if found is not None else None
                self._sheets.is_complete = False
                scopes = (*scopes, found) if found is not None else scopes
                parent = None
            case "property":
                self._read_property(rule)
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

    def _read_property(self, rule: ast.AtRule) -> None:
        name = written(rule.prelude)
        for one in declarations_in(tinycss2.parse_blocks_contents(rule.content)):
            if one.name == "initial-value":
                self._sheets.initial_values[name] = one.tokens
            elif one.name == "inherits" and written(one.tokens) == "false":
                self._sheets.own_properties.add(name)

    def _read_font(self, rule: ast.AtRule) -> None:
        parts = {one.name: one.tokens for one in declarations_in(tinycss2.parse_blocks_contents(rule.content))}
        if "data:" in written(parts.get("src", ())):
            self._sheets.own_fonts.add(written(parts.get("font-family", ())).strip("\"'"))

    def _named(self, around: tuple[str, ...], name: str) -> tuple[str, ...]:
        """Return the path of a layer within another one, and give it its place if it is new."""
        for part in name.split(".", _DEEPEST):
            places = self._layers.setdefault(around, {})
            places.setdefault(part.strip(), len(places))
            around = (*around, part.strip())
        return around

    def _place(self, layer: tuple[str, ...]) -> Layer:
        return (*(self._layers[layer[:at]][name] for at, name in enumerate(layer)), _LAST)


def _has_only_fonts(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _ONLY_FONTS
    except ValueError:
        return False


def _text_in_url(url: str) -> str | None:
    """Return the text in a data URL; None for other URLs."""
    head, comma, data = url.strip()[: 4 * MAX_CHARS].partition(",")
    if not comma or not head.casefold().startswith("data:"):
        return None
    content = unquote_to_bytes(data)
    if head.casefold().endswith(";base64"):
        try:
            content = b64decode(b"".join(content.split()) + b"==")
        except ValueError:
            return ""
    return content.decode("utf-8", "replace")
