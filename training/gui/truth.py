# ruff: noqa: E501 - JavaScript
"""True elements of a page according to the browser: boxes from the layout, roles from the accessibility tree.

A box encloses the visible part of an element. If the element is painted (with a border, a shadow, or a background that
differs from the background behind it), the box is the element's own. Otherwise it is the box around the element's text,
pictures and painted parts, because the padding of a plain link is invisible.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.vision.text import Image

Box = tuple[float, float, float, float]

INTERACTIVE = frozenset(
    ("button", "input", "textarea", "select", "checkbox", "radio", "switch", "slider", "tab", "link", "icon", "menu")
)
ROLES = {
    "button": "button",
    "textbox": "input",
    "searchbox": "input",
    "spinbutton": "input",
    "Date": "input",
    "DateTime": "input",
    "InputTime": "input",
    "combobox": "select",
    "listbox": "select",
    "ComboBoxSelect": "select",
    "PopUpButton": "select",
    "MenuListPopup": "select",
    "checkbox": "checkbox",
    "radio": "radio",
    "switch": "switch",
    "slider": "slider",
    "tab": "tab",
    "link": "link",
    "menuitem": "menu",
    "menuitemcheckbox": "menu",
    "menuitemradio": "menu",
    "option": "menu",
}
SCRIPT = r"""
() => {
  const LINE = 1.0;  // em: what fonts claim above and below their letters is empty.
  const SHOWN = 'img, svg, canvas, video, picture';
  const CONTROLS = 'a[href], button, input, textarea, select, summary, [role], [tabindex]';
  const colour = (text) => {
    const parts = text.match(/[\d.]+/g);
    if (!parts) return [0, 0, 0, 0];
    const values = parts.map(Number);
    return [values[0], values[1], values[2], values.length > 3 ? values[3] : 1];
  };
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (text) => {
    if (/^rgb/.test(text)) return colour(text);
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = text;
    context.fillRect(0, 0, 1, 1);
    const data = context.getImageData(0, 0, 1, 1).data;
    return [data[0], data[1], data[2], data[3] / 255];
  };
  const behind = (element) => {
    for (let up = element.parentElement; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      const back = rgba(style.backgroundColor);
      if (back[3] > 0.5) return back;
    }
    return [255, 255, 255, 1];
  };
  const far = (one, other, alpha) => Math.max(...[0, 1, 2].map((i) => Math.abs(one[i] - other[i]))) * alpha > 4;
  const paints = (style, element) => {
    const ground = behind(element);
    const back = rgba(style.backgroundColor);
    if (back[3] > 0 && far(back, ground, back[3])) return true;
    if (style.backgroundImage !== 'none') return true;
    for (const side of ['Top', 'Right', 'Bottom', 'Left']) {
      if (parseFloat(style['border' + side + 'Width']) > 0 && style['border' + side + 'Style'] !== 'none') {
        const edge = rgba(style['border' + side + 'Color']);
        if (edge[3] > 0 && far(edge, ground, edge[3])) return true;
      }
    }
    if (style.boxShadow !== 'none' && style.boxShadow.split(/,(?![^(]*\))/).some((shadow) => {
      const shade = rgba((shadow.match(/(rgba?|oklch|oklab|color|hsla?|lab|lch)\([^)]*\)|#\w+/) || ['#0000'])[0]);
      const sizes = shadow.replace(/\w+\([^)]*\)/, '').match(/-?[\d.]+px/g) || [];
      return shade[3] > 0.04 && sizes.some((size) => parseFloat(size) !== 0) && far(shade, ground, shade[3]);
    })) return true;
    return false;
  };
  const visible = (element) => {
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true})) return false;
    const box = element.getBoundingClientRect();
    return box.width >= 2 && box.height >= 2;
  };
  const rect = (box) => [box.left + scrollX, box.top + scrollY, box.right + scrollX, box.bottom + scrollY];
  const join = (boxes) => boxes.length ? [
    Math.min(...boxes.map((b) => b[0])), Math.min(...boxes.map((b) => b[1])),
    Math.max(...boxes.map((b) => b[2])), Math.max(...boxes.map((b) => b[3]))] : null;
  const texts = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(node.nodeType === 3 ? node.parentElement : node).fontSize);
    return [...range.getClientRects()].map(rect).filter((b) => b[2] - b[0] > 1 && b[3] - b[1] > 1).map((b) => {
      const middle = (b[1] + b[3]) / 2, half = Math.min(b[3] - b[1], LINE * size) / 2;
      return [b[0], middle - half, b[2], middle + half];
    });
  };
  const bordered = (style) => ['Top', 'Right', 'Bottom', 'Left'].filter((side) =>
    parseFloat(style['border' + side + 'Width']) > 0 && style['border' + side + 'Style'] !== 'none'
    && rgba(style['border' + side + 'Color'])[3] > 0.1).length;
  const underlinedOnly = (style, element) => {
    // One line below or beside is an ornament, not a box, unless the element is a field.
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) return false;
    const sides = bordered(style);
    const back = rgba(style.backgroundColor);
    const filled = back[3] > 0 && far(back, behind(element), back[3]);
    return sides > 0 && sides < 3 && !filled && style.backgroundImage === 'none' && style.boxShadow === 'none';
  };
  const hasPseudo = (element) => ['::before', '::after'].some((which) => {
    const style = getComputedStyle(element, which);
    return style.content !== 'none' && style.content !== 'normal' && style.display !== 'none'
      && (paintsAlone(style) || /[^"'\s]/.test(style.content)) && parseFloat(style.width) !== 0;
  });
  const paintsAlone = (style) => rgba(style.backgroundColor)[3] > 0 || style.backgroundImage !== 'none' || bordered(style) > 0;
  const painted = (element, inside) => {
    if (!visible(element)) return null;
    if (element.matches(SHOWN) || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName)) return rect(element.getBoundingClientRect());
    const style = getComputedStyle(element);
    const inline = style.display === 'inline';
    const own = paints(style, element) && !underlinedOnly(style, element);
    if (own && !inline && !inside) return rect(element.getBoundingClientRect());
    const parts = [];
    if (own && !inside) parts.push(...[...element.getClientRects()].map(rect));
    for (const child of element.childNodes) {
      if (child.nodeType === 3 && child.data.trim()) parts.push(...texts(child));
      else if (child.nodeType === 1) { const part = painted(child, false); if (part) parts.push(part); }
    }
    if (!element.children.length && hasPseudo(element) && !parts.length) parts.push(rect(element.getBoundingClientRect()));
    return join(parts);
  };
  const found = [];
  let number = 0;
  const put = (element, extra) => {
    const box = painted(element, false);
    if (!box) return;
    element.setAttribute('data-truth', String(number));
    const middle = [(box[0] + box[2]) / 2 - scrollX, (box[1] + box[3]) / 2 - scrollY];
    const top = document.elementFromPoint(...middle);
    const style = getComputedStyle(element);
    found.push({
      number: number++, tag: element.tagName.toLowerCase(), input: element.type || '', box,
      content: element.matches(SHOWN + ', input, textarea, select') ? null : painted(element, true),
      painted: paints(style, element) && !underlinedOnly(style, element),
      text: (element.innerText || element.value || element.placeholder || '').trim().slice(0, 80),
      covered: !!top && !element.contains(top) && !top.contains(element) && !(element.labels && [...element.labels].some((l) => l.contains(top))),
      ...extra,
    });
  };
  for (const element of document.querySelectorAll(CONTROLS)) {
    if (element.closest('svg') || (element.tagName === 'INPUT' && element.type === 'hidden')) continue;
    const stand = element.dataset.stand ? document.getElementById(element.dataset.stand) : null;
    if (stand) {
      // A field that a framework hides and draws with another element.
      stand.setAttribute('data-truth', String(number));
      element.setAttribute('data-truth', String(number));
      found.push({number: number++, tag: 'input', input: element.type, box: rect(stand.getBoundingClientRect()), painted: true, text: '', covered: false, stand: true});
    } else put(element, {});
  }
  for (const element of document.querySelectorAll('img, svg, canvas')) {
    if (element.hasAttribute('data-truth')) continue;
    put(element, {picture: true, inside: !!element.closest('[data-truth]')});
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!node.data.trim() || !parent || parent.closest('[data-truth], script, style, select') || !visible(parent)) continue;
    for (const box of texts(node)) found.push({number: -1, tag: '#text', input: '', box, painted: false, text: node.data.trim().slice(0, 80), covered: false});
  }
  return {found, width: innerWidth, height: innerHeight};
}
"""
"""Script that lists painted elements in CSS pixels, and marks them so that they can be found in the accessibility
tree."""
_THUMB = 14
"""Least height of a slider's thumb, in CSS pixels."""
_FAINT = 3
"""Least difference, of 255, that is visible."""
_SPECIFIC = (
    "tab",
    "menu",
    "switch",
    "checkbox",
    "radio",
    "slider",
    "select",
    "input",
    "textarea",
    "button",
    "icon",
    "link",
)


@dataclass(frozen=True, slots=True)
class TrueElement:
    type: str
    box: Box
    """Left, top, right, bottom."""
    interactive: bool
    name: str = ""
    """Name in the accessibility tree."""


def elements_of(found: Any, root: Any, nodes: Sequence[Any], image: Image, scale: float) -> tuple[TrueElement, ...]:
    """Return the elements that SCRIPT `found` on the page in `image`, with roles from the accessibility tree, and boxes
    in pixels of `image`."""
    marks = dict(_marks(root))
    roles = {
        node["backendDOMNodeId"]: (node.get("role", {}).get("value", ""), node.get("name", {}).get("value", ""))
        for node in nodes
        if "backendDOMNodeId" in node and not node.get("ignored")
    }
    kept: list[TrueElement] = []
    for one in found["found"]:
        if one.get("content") and one["painted"] and not _stands_out(image, one["box"], scale):
            # The element is painted in the colour behind it, or transparent.
            one["box"], one["painted"] = one["content"], False
        box = _cut(_with_thumb(one), found["width"], found["height"])
        if box is None or one["covered"]:
            continue
        role, name = next((roles[node] for node in marks.get(one["number"], ()) if node in roles), ("", ""))
        kind = _type(one, role)
        if kind is not None:
            scaled: Box = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
            interactive = kind in INTERACTIVE and not one.get("picture")
            kept.append(TrueElement(kind, scaled, interactive, str(name or one["text"])))
    return tuple(_without_doubles(kept))


def _stands_out(image: Image, box: Sequence[float], scale: float) -> bool:
    """True if the box itself is visible: at least two of its sides have an edge."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(side * scale) for side in box)
    reach, inset = max(2, round(2 * scale)), max(1, round(3 * scale))
    seen = 0
    for across, first, last in ((x0, y0, y1), (x1, y0, y1), (y0, x0, x1), (y1, x0, x1)):
        upright = (first, last) == (y0, y1)
        limit = width if upright else height
        low, high = max(0, across - reach), min(limit, across + reach)
        start, stop = max(0, first + inset), last - inset
        strip = image[start:stop, low:high] if upright else image[low:high, start:stop].swapaxes(0, 1)
        if strip.shape[0] and strip.shape[1] > 1:
            seen += int((np.ptp(strip, axis=1).max(axis=1) > _FAINT).mean() > 0.6)
    return seen >= 2


def _with_thumb(one: Any) -> Sequence[float]:
    """Return the box of `one`; the box of a slider with a thin track gets the height of its thumb."""
    left, top, right, bottom = one["box"]
    if one["input"] != "range" or bottom - top >= _THUMB:
        return left, top, right, bottom
    middle = (top + bottom) / 2
    return left, middle - _THUMB / 2, right, middle + _THUMB / 2


def _type(one: Any, role: str) -> str | None:
    tag, shape = one["tag"], one["input"]
    width, height = one["box"][2] - one["box"][0], one["box"][3] - one["box"][1]
    if tag == "#text":
        return "text"
    if one.get("picture"):
        if tag == "svg" or max(width, height) <= 40:
            return None if one["inside"] else "icon"
        return "image"
    if tag == "textarea":
        return "textarea"
    if tag == "select":
        return "select"
    kind = ROLES.get(role)
    if shape == "file" and tag == "input":
        return "input"
    if kind in ("button", "link") and not one["text"] and not one["painted"] and max(width, height) <= 64:
        return "icon"
    return kind


def _marks(node: Any) -> Iterator[tuple[int, list[int]]]:
    """Yield each number that SCRIPT assigned, with the browser's own numbers of its nodes."""
    by_mark: dict[int, list[int]] = {}
    stack = [node]
    while stack:
        one = stack.pop()
        attributes = one.get("attributes", [])
        for name, value in zip(attributes[::2], attributes[1::2], strict=True):
            if name == "data-truth":
                # A hidden field and the element that is drawn in its place share a number. The role is the role of the
                # field.
                place = by_mark.setdefault(int(value), [])
                place.insert(0 if one["nodeName"] == "INPUT" else len(place), one["backendNodeId"])
        stack += one.get("children", [])
        stack += [one["contentDocument"]] if "contentDocument" in one else []
    yield from by_mark.items()


def _cut(box: Sequence[float], width: float, height: float) -> Box | None:
    """Return the part of `box` inside the picture; None if it is less than half of the box."""
    left, top, right, bottom = max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)
    if right <= left or bottom <= top:
        return None
    shown = (right - left) * (bottom - top) / max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
    return (left, top, right, bottom) if shown > 0.5 else None


def _without_doubles(elements: Sequence[TrueElement]) -> list[TrueElement]:
    """Return `elements` with only the most specific element for each place."""
    kept: list[TrueElement] = []
    order = {kind: place for place, kind in enumerate(_SPECIFIC)}
    for one in sorted(elements, key=lambda element: order.get(element.type, 99)):
        if not any(other.interactive and iou(one.box, other.box) > 0.85 for other in kept):
            kept.append(one)
    return kept


def iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
