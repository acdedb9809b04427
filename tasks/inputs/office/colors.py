"""Colours of office files, and whether text in one of them is seen on another.

All formats share the rule: text is unseen if it hardly differs from everything that it may stand on. A ground that
cannot be judged is `UNKNOWN`, on which all text is seen.
"""

import colorsys
import re
from collections.abc import Mapping

from lxml import etree
from PIL import ImageColor

from tasks.inputs.contrast import BLACK, WHITE, Color, mixed

Grounds = tuple[Color, ...]
"""The colours that text may stand on."""
UNKNOWN: Grounds = (BLACK, WHITE)
"""A ground of any colour."""
SMALLEST_POINTS = 2
"""Text of at most this size, in points, is too small to be seen."""
_HEX = re.compile(r"[0-9A-Fa-f]{6}")
_PERCENT = 100_000
"""Numbers of DrawingML are in thousandths of a per cent."""
_DEGREE = 60_000
"""Angles of DrawingML are in sixty-thousandths of a degree."""
_CHANNELS = {"red": 0, "green": 1, "blue": 2}
_HLS = {"hue": 0, "lum": 1, "sat": 2}
_LONGEST_NUMBER = 12
_SHORT_NAMES = {"dk": "dark", "lt": "light", "med": "medium"}
"""Beginnings of preset colours, and of the names for these in CSS."""
_NAMES = {"background": "bg", "text": "tx", "light": "lt", "dark": "dk", "t": "tx"}
"""Beginnings of colours of the theme in Word, and of their names in DrawingML."""
_MAPPED = {"bg1": "lt1", "tx1": "dk1", "bg2": "lt2", "tx2": "dk2"}
_OFFICE = {"lt1": WHITE, "dk1": BLACK}


def of_hex(value: str) -> Color | None:
    """Return the colour of six hexadecimal digits."""
    if not _HEX.fullmatch(value):
        return None
    red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def lightened(color: Color, factor: float, offset: float = 0.0) -> Color:
    """Return a colour whose lightness is multiplied, and increased, by these."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*color)
    return colorsys.hls_to_rgb(hue, _between_0_and_1(lightness * factor + offset), saturation)


class Theme:
    """The colours of a theme (ECMA-376, part 1, 20.1.6.2), by the names that text and shapes have for them."""

    def __init__(self, xml: bytes | None, mapping: Mapping[str, str] | None = None) -> None:
        """`xml` is the part with the theme. `mapping` has the names in the theme for `bg1` and others."""
        self._mapping = {**_MAPPED, **{_theme_name(a): _theme_name(b) for a, b in (mapping or {}).items()}}
        self._colors: dict[str, Color] = dict(_OFFICE)
        self.root = None
        if xml:
            self.root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
            for scheme in self.root.iter("{*}clrScheme"):
                for one in scheme.iterchildren("{*}*"):
                    found = self.read(one)
                    if found is not None:
                        self._colors[_local_name(one)] = found[0]

    def with_mapping(self, mapping: Mapping[str, str]) -> "Theme":
        """Return the theme with other names for its colours."""
        theme = Theme(None, mapping)
        theme.root, theme._colors = self.root, self._colors
        return theme

    def named(self, name: str) -> Color | None:
        """Return the colour with this name, such as `accent1`, `bg1` or `background1`."""
        name = _theme_name(name)
        return self._colors.get(self._mapping.get(name, name))

    def read(self, parent: etree._Element, placeholder: Color | None = None) -> tuple[Color, float] | None:
        """Return the colour within an element of DrawingML, and its opacity from 0 to 1. None stands for one that is
        not known. `placeholder` is the colour in the place of `phClr`."""
        for one in parent.iterchildren("{*}*"):
            color = self._base(one, placeholder)
            return None if color is None else _modified(color, one)
        return None

    def _base(self, one: etree._Element, placeholder: Color | None) -> Color | None:
        value = one.get("val", "")
        match _local_name(one):
            case "srgbClr":
                return of_hex(value)
            case "sysClr":
                usual = "000000" if value == "windowText" else "FFFFFF"
                found = one.get("lastClr", usual)
                # Programs differ in whether they go by the name of the colour or by the last one of the system.
                return of_hex(found) if found.upper() == usual or value not in ("window", "windowText") else None
            case "schemeClr":
                return placeholder if value == "phClr" else self.named(value)
            case "prstClr":
                return _preset(value)
            case "scrgbClr":
                linear = [_between_0_and_1(_fraction(one.get(side, ""))) for side in "rgb"]
                red, green, blue = (c * 12.92 if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in linear)
                return red, green, blue
            case "hslClr":
                hue = _number(one.get("hue", "")) / _DEGREE / 360 % 1
                lightness, saturation = (_between_0_and_1(_fraction(one.get(name, ""))) for name in ("lum", "sat"))
                return colorsys.hls_to_rgb(hue, lightness, saturation)
        return None


def _modified(color: Color, element: etree._Element) -> tuple[Color, float]:
    """Return a colour after the changes that an element makes in it, and its opacity."""
    opacity = 1.0
    for change in element.iterchildren("{*}*"):
        name = _local_name(change)
        value = _fraction(change.get("val", "100%"))
        kind, how = re.fullmatch("(.*?)(Mod|Off)?", name, re.DOTALL).groups()  # type: ignore[union-attr]
        if kind == "alpha":
            opacity = opacity * value if how == "Mod" else opacity + value if how == "Off" else value
        elif name == "tint":
            color = mixed(color, WHITE, _between_0_and_1(value))
        elif name == "shade":
            color = mixed(color, BLACK, _between_0_and_1(value))
        elif name == "inv":
            color = (1 - color[0], 1 - color[1], 1 - color[2])
        elif name == "gray":
            gray = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
            color = (gray, gray, gray)
        elif kind in _CHANNELS:
            color = _with(color, _CHANNELS[kind], how, value)
        elif kind in _HLS:
            if kind == "hue" and how != "Mod":
                value = _number(change.get("val", "")) / _DEGREE / 360 % 1
            hls = _with(colorsys.rgb_to_hls(*color), _HLS[kind], how, value)
            color = colorsys.hls_to_rgb(*hls)
    return color, _between_0_and_1(opacity)


def _with(values: Color, index: int, how: str | None, value: float) -> Color:
    changed = list(values)
    changed[index] = changed[index] * value if how == "Mod" else changed[index] + value if how == "Off" else value
    red, green, blue = map(_between_0_and_1, changed)
    return red, green, blue


def _preset(name: str) -> Color | None:
    for short, long in _SHORT_NAMES.items():
        if name.startswith(short):
            name = long + name.removeprefix(short)
            break
    return of_css(name)


def of_css(name: str) -> Color | None:
    """Return the colour that CSS calls by this name, in letters of any size, or by `#` and hexadecimal digits."""
    try:
        return of_hex("".join(f"{value:02x}" for value in ImageColor.getrgb(name[:32].lower())[:3]))
    except ValueError:
        return None


def _theme_name(name: str) -> str:
    found = re.fullmatch(r"([a-z]+)(\d)", name)
    if found is None:
        return {"hyperlink": "hlink", "followedHyperlink": "folHlink"}.get(name, name)
    return _NAMES.get(found[1], found[1]) + found[2]


def _fraction(value: str) -> float:
    """Return a number of DrawingML, in thousandths of a per cent or with a per-cent sign, as a fraction."""
    return _number(value[:-1]) / 100 if value.endswith("%") else _number(value) / _PERCENT


def _number(value: str) -> float:
    is_number = len(value) <= _LONGEST_NUMBER and re.fullmatch(r"[+-]?\d+(?:\.\d*)?", value, re.ASCII)
    return float(value) if is_number else 0.0


def _between_0_and_1(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _local_name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)
