"""Finds the shapes of a slide that an animation may remove, or may never show (ECMA-376, part 1, 19.5)."""

from itertools import islice
from typing import NamedTuple

from lxml import etree

_DEEPEST = 40
"""PowerPoint nests the behaviour of an effect in about 20 elements. What is nested deeper is not judged."""
_LONGEST_DELAY = 60_000
"""A reader does not wait longer for a shape, in milliseconds."""


def doubtful_targets(slide: etree._Element) -> set[str]:
    """Return the identifiers of the animated shapes of which a reader perhaps sees nothing: all those that have another
    animation than an entrance that comes by itself or by the next click, and leaves the shape where it is."""
    starts: dict[etree._Element, _Start] = {}
    return {
        str(target.get("spid"))
        for behavior in slide.iter("{*}cBhvr")
        for target in behavior.iter("{*}spTgt")
        if not (_ends_as_drawn(behavior) and _is_entrance(behavior, starts))
    }


class _Start(NamedTuple):
    """When a node of the timing starts, after the one that it is in."""

    clicks: int
    is_soon: bool


def _is_entrance(behavior: etree._Element, starts: dict[etree._Element, _Start]) -> bool:
    nodes = [one for one in islice(behavior.iterancestors(), _DEEPEST) if one.tag.endswith("}cTn")]
    for node in nodes:
        if node not in starts:
            starts[node] = _start_of(node)
    kinds = [kind for node in nodes if (kind := node.get("presetClass")) is not None]
    is_in_sequence = any(node.get("nodeType") == "mainSeq" for node in nodes)
    clicks = sum(starts[node].clicks for node in nodes)
    return kinds == ["entr"] and is_in_sequence and clicks <= 1 and all(starts[node].is_soon for node in nodes)


def _start_of(node: etree._Element) -> _Start:
    conditions = node.findall("{*}stCondLst/{*}cond")
    delays = [one.get("delay", "0") for one in conditions if one.get("delay") != "indefinite"]
    is_soon = all(one.isdecimal() and len(one) < 9 and int(one) <= _LONGEST_DELAY for one in delays)
    is_triggered = any(one.get("evt", "onBegin") not in ("onBegin", "onEnd") for one in conditions)
    return _Start(len(conditions) - len(delays), is_soon and not is_triggered)


def _ends_as_drawn(behavior: etree._Element) -> bool:
    owner = behavior.getparent()
    if owner is None or owner.get("transition") == "out":
        return False
    attributes = [(one.text or "").strip() for one in behavior.iterfind("{*}attrNameLst/{*}attrName")]
    if owner.tag.endswith("}set"):
        lasts = all(node.get("fill", "hold") == "hold" for node in behavior.iterchildren("{*}cTn"))
        shown = [value.get("val") for value in owner.iterfind("{*}to/{*}strVal")]
        return lasts and attributes == ["style.visibility"] and shown == ["visible"]
    ends = [value.get("val") for value in owner.iterfind("{*}tavLst/{*}tav[last()]/{*}val/{*}strVal")]
    return ends in ([], [f"#{name}" for name in attributes])
