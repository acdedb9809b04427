"""Splits a style sheet into its rules."""

import re
from collections.abc import Iterator

MAX_CSS = 500_000
"""Number of characters of a page's own style sheets that are read."""
COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BRACE = re.compile(r"""[{}]|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'""")
"""Pattern of braces, and of strings, in which braces mean nothing."""
ON_SCREEN = re.compile(r"@(?:media\s+(?:only\s+)?(?:all|screen)\s*$|media\s*$|layer\b|supports\b)", re.IGNORECASE)
"""Pattern of conditions under which rules hold on every screen."""


def css_rules(css: str) -> Iterator[tuple[str, str, bool]]:
    """Yield selectors and declarations, with True if they hold on every screen and not only for print or small screens
    (`@media`)."""
    around: list[str] = []
    end = 0
    css = COMMENT.sub("", css)
    css += "}" * css.count("{")  # The end of a sheet closes what is open.
    for brace in _BRACE.finditer(css):
        if brace[0] not in "{}":
            continue
        before, end = css[end : brace.start()], brace.end()
        if brace[0] == "{":
            around.append(before.rpartition(";")[2].strip())
        elif around:
            selectors = around.pop()
            if not selectors.startswith("@"):
                yield selectors, before, all(map(ON_SCREEN.match, around))
