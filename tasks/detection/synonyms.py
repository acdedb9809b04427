"""What else people call the things that detectors name, and the groups that they name together."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

_TABLE: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("synonyms.toml").read_text("utf-8")
)

SYNONYMS: Mapping[str, frozenset[str]] = {
    label: frozenset({label, *words}) for label, words in _TABLE["labels"].items()
}
"""Each label's other names, itself included."""

GROUPS: Mapping[str, tuple[str, ...]] = {word: tuple(labels) for word, labels in _TABLE["groups"].items()}
"""Words for several labels at once."""
