"""Tells which markup of office files is usual: elements and attributes whose effect on what a reader sees is judged
exactly, or that have none.

The formats know thousands of elements and attributes, and programs add their own. What is not usual is therefore
doubted, not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

_MOST_KNOWN = 20_000
"""At most this many different elements, each with its attributes, are remembered."""


class UsualMarkup:
    """The usual elements of a format, each with its usual attributes, as one table for each XML namespace.

    Each line of a table has the name of an element, and those of its attributes without their namespaces. An attribute
    may be followed by a pattern that its whole value must match; without a pattern, its value has no effect. The name
    `.` stands for the text of the element.

    >>> usual = UsualMarkup({"urn:text": '''
    ...     p
    ...     jc val=left|right|center
    ... '''})
    >>> [element.tag for element in usual.unusual(etree.fromstring('<p xmlns="urn:text"><jc val="sideways"/></p>'))]
    ['{urn:text}jc']
    """

    def __init__(self, tables: Mapping[str, str]) -> None:
        self._attributes: dict[str, dict[str, re.Pattern[str] | None]] = {}
        self._texts: dict[str, re.Pattern[str]] = {}
        for namespace, table in tables.items():
            for line in filter(str.strip, table.split("\n")):
                name, *attributes = line.split()
                patterns = dict(map(_read_attribute, attributes))
                if (text := patterns.pop(".", None)) is not None:
                    self._texts[f"{{{namespace}}}{name}"] = text
                self._attributes[f"{{{namespace}}}{name}"] = patterns

    def __contains__(self, tag: str) -> bool:
        """Return whether an element of this name, as in `{namespace}name`, is known at all."""
        return tag in self._attributes

    def unusual(self, root: etree._Element) -> Iterator[etree._Element]:
        """Yield those of an element and all elements within it that are not usual, in the order of the document.
        Comments and processing instructions are usual."""
        known: dict[tuple[Any, ...], bool] = {}
        for element in root.iter(etree.Element):
            look = (element.tag, *element.items(), element.text if element.tag in self._texts else None)
            is_usual = known.get(look)
            if is_usual is None:
                is_usual = self._is_usual(element)
                if len(known) < _MOST_KNOWN:
                    known[look] = is_usual
            if not is_usual:
                yield element

    def _is_usual(self, element: etree._Element) -> bool:
        attributes = self._attributes.get(element.tag)
        text = self._texts.get(element.tag)
        if attributes is None or (text is not None and not text.fullmatch(element.text or "")):
            return False
        for name, value in element.items():
            local_name = str(name).rpartition("}")[2]
            if local_name not in attributes:
                return False
            pattern = attributes[local_name]
            if pattern is not None and not pattern.fullmatch(str(value)):
                return False
        return True


def _read_attribute(written: str) -> tuple[str, re.Pattern[str] | None]:
    name, equals, pattern = written.partition("=")
    return name, re.compile(pattern) if equals else None
