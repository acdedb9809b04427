"""Finds declarations of XML entities, by which a small file can expand to gigabytes."""

import re

_DECLARATION = re.compile(
    r"\ufeff?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE[^>\[]*+\[(?:[^\]<]++|<!--.*?-->|<(?!!ENTITY))*+<!ENTITY",
    re.DOTALL,
)
"""Pattern of the beginning of a file up to the first entity that its document type declares."""


def declares_entities(xml: str) -> bool:
    """True if the document type of `xml` declares entities."""
    return _DECLARATION.match(xml) is not None
