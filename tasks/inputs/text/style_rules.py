"""Finds the classes and ids to which the style sheets within a page give a style: `.note { display: none }`."""

import re
import sys
from collections.abc import Collection, Iterator
from typing import Final

MAX_CHARS: Final = 500_000
"""At most this many characters of a page's style sheets are read."""

_NOT_RULES = re.compile(r"/\*.*?(?:\*/|\Z)|\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'", re.DOTALL)
"""Pattern of comments and strings, which may have braces in them."""
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))")
_BRACE = re.compile(r"[{}]")
_EVERYWHERE = re.compile(r"@media\s+(?:all|screen)|@layer\b.*", re.IGNORECASE)
"""Pattern of rules around others that restrict nothing on a screen."""
_SIMPLE = re.compile(r"(?P<tag>[a-z][\w-]*)?(?P<name>[.#][\w-]+)", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")


class StyledNames:
    """The classes and ids to which a page's style sheets always give one style, and those to which a rule gives another
    style. Names include their signs: `.note`, `#total`."""

    def __init__(self, css: str, style: re.Pattern[str], other: re.Pattern[str]) -> None:
        """`style` and `other` are patterns of declarations without white space, in lower case."""
        self._styled: set[tuple[str, str]] = set()
        """Pairs of tag and name. The tag is empty if the rule applies to any element."""
        self._otherwise: set[str] = set()
        for selectors, declarations, is_always in _rules_of(_NOT_RULES.sub(" ", css[:MAX_CHARS])):
            declared = without_spaces(declarations)
            if is_always and style.search(declared) and not other.search(declared):
                simple = (_SIMPLE.fullmatch(selector.strip()) for selector in selectors.split(","))
                self._styled.update(((found["tag"] or "").lower(), found["name"]) for found in simple if found)
            elif other.search(declared):
                self._otherwise.update(_NAME.findall(selectors))

    def __bool__(self) -> bool:
        return bool(self._styled)

    def apply_to(self, tag: str, element_id: str, classes: Collection[str]) -> bool:
        """True if an element has the style for certain: one of its names has the style, and none of them has the other
        style in any rule."""
        names = {f".{name}" for name in classes} | {f"#{element_id}"}
        has_style = any((one, name) in self._styled for one in ("", tag) for name in names)
        return has_style and names.isdisjoint(self._otherwise)


def without_spaces(declarations: str) -> str:
    """Return declarations in lower case, without white space and comments, and with their escapes replaced."""
    if "/*" in declarations:
        declarations = _COMMENT.sub("", declarations)
    if "\\" in declarations:
        declarations = _ESCAPE.sub(_unescaped, declarations)
    return "".join(declarations.split()).lower()


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else ord(escape[2])
    return chr(code) if 0 < code <= sys.maxunicode else ""


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
