"""Judges how well a reader sees the text of each element: from its computed style, in a browser on a desk.

Only what is known to leave text in sight counts as seen. A style with another effect, such as a mask, makes the text
within unsure, and so does a rule that may not apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import tinycss2

from tasks.inputs.contrast import WHITE, Color, contrast, is_seen, mixed
from tasks.inputs.sight import Sight
from tasks.inputs.text.styles.cascade import Cascade
from tasks.inputs.text.styles.declarations import Declaration, longhands, substituted
from tasks.inputs.text.styles.elements import Element, PageTree
from tasks.inputs.text.styles.style_sheets import StyleSheets
from tasks.inputs.text.styles.usual import Doubt, doubt_about
from tasks.inputs.text.styles.values import (
    EM,
    FONT_SIZES,
    WINDOW,
    Rgba,
    Tokens,
    calculated,
    colour_of,
    colours_within,
    pixels,
    significant,
    words,
    written,
)


class Appearance(NamedTuple):
    """The appearance of a page."""

    sights: dict[int, Sight]
    """Sight of the text in each element, without that of the elements within it, by the identity of the element in the
    parser's tree."""
    struck: set[int]
    """Identities of the elements whose text is struck through."""
    removed: set[int]
    """Identities of the elements that take no part in the page."""
    boxed: set[int]
    """Identities of the elements that are perhaps apart from the texts beside them, or joined to these, by a style."""
    is_final: bool
    """False if scripts, or style sheets from elsewhere, may change what the page looks like."""


_FAR: Final = 999.0
"""An element that is moved by as many pixels is outside the window."""
_DISPLACED: Final = 10.0
"""An element that is moved by at most as many pixels does not cover others."""
_MOST_SHIFT: Final = 30.0
"""An element that is moved by more pixels to the left may be cut at the window's edge."""
_WORD: Final = re.compile(r"[^ \t\r\n-]+")
"""Pattern of a text without a place for a line break."""
_MEAN_WIDTH: Final = 0.6
"""Width of a sign in ems, at most."""
_WIDTH, _HEIGHT = WINDOW
_NARROW: Final = 100.0
"""Words may exceed an area with fewer pixels in width."""
_INDENTS: Final = {**dict.fromkeys(("blockquote", "figure"), 80.0), **dict.fromkeys(("dd", "ul", "ol", "menu"), 40.0)}
"""Pixels by which browsers indent what has no style."""
_CUTTING: Final = frozenset(("", "hidden", "clip", "auto", "scroll"))
_ENDS_OF_WIDTHS: Final = ("width", "top", "right", "bottom", "left", "block", "inline", "start", "end")
_ALONG: Final = ("justify-content", "justify-items", "justify-self", "place-content", "place-items", "place-self",
                 "box-pack")  # fmt: skip
_ACROSS: Final = ("align-content", "align-items", "align-self")
_FORWARD: Final = words("normal start flex-start left stretch baseline space-between auto initial legacy top")
"""Words of an alignment by which contents exceed their place only to the right, or downwards."""
_GROWING_TRACKS: Final = re.compile(
    r"(?:none|auto|row|column|dense|min-content|max-content|[\d.]++fr|\d{3,4}px|repeat\(|minmax\( ?\d{3}px|auto-fi[lt]"
    r"|\d++|[ ,)/])*+"
)
"""Pattern of the columns of a grid that are as wide as their words."""
_THICK: Final = 4.0
"""A line through a text, or around it, that is thicker may cover it or its neighbours."""
_LARGE: Final = 600.0
"""A column of text has usually as many pixels in width."""
_LEAST_SIZE: Final = 6.0
"""An area of fewer pixels in height or width shows no text."""
_LEAST_WIDTH: Final = 40.0
"""An area with fewer pixels in height may cut lines."""
_FAIR_WIDTH: Final = 300.0
"""An area with fewer pixels in width may cut words."""
_LEAST_LINE: Final = 0.6
"""Lines that are lower, as a share of the font's size, may lie on each other."""
_LEAST_PADDING: Final = 6.0
"""The ground of words in a line may lie on other lines if it exceeds the words by more pixels."""
_SHORT: Final = 30
"""A text of at most as many characters takes one line."""
_SMALLEST, _SMALL = 1.0, 5.0
_LEAST_OPACITY, _FAIR_OPACITY = 0.1, 0.3
_FAIR_CONTRAST: Final = 1.3
_MOST_COLOURS: Final = 64
"""Grounds of more colours are not judged."""
_MOST_PROPERTIES: Final = 2_000_000
"""Elements with custom properties of their own have at most this many together, including those that they inherit."""
_MOST_DECLARATIONS: Final = 500_000
"""Declarations are applied at most this many times for a page, those for equal elements in equal ones once."""
_USUAL_SIZE: Final = 20
"""Number of characters that an `input` shows without a `size`."""
_LONGEST_SIZE: Final = 5
_BLOCKS: Final = words(
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol p "
    "plaintext pre search section summary ul xmp optgroup option"
)
_OF_TABLE: Final = words("caption col colgroup table tbody td tfoot th thead tr table-cell table-row inline-table")
_REPLACED: Final = words("img input button select textarea iframe object embed video audio canvas svg hr meter")
_CONTROLS: Final = words("input textarea select button")
_DISABLED: Final = (84 / 255, 84 / 255, 84 / 255, 1.0)
"""Colour of the text in controls that are disabled."""
CLOSED: Final = words(
    "script style template noscript noembed noframes head title meta link base svg object iframe datalist "
    "canvas video audio rp area param source track meter progress annotation annotation-xml mphantom applet"
)
"""Elements whose text no browser shows."""
_OLD_SIZES: Final = dict(zip("1234567", list(FONT_SIZES.values())[1:], strict=False))
"""Pixels of the sizes of `font` elements."""
_OF_LETTERS: Final = words(
    "color text-fill-color background-color background-image background-clip background-position opacity font-size "
    "line-height font-family text-decoration-line text-decoration white-space visibility"
)
"""Properties that leave an element in a line where it is."""
_APART: Final = words("none block flex grid list-item table flow-root")
"""Values of `display` with which an element has lines of its own."""
_UNUSUAL: Final = words("marquee maction mpadded mspace mprescripts none")
"""Elements that move their text, or perhaps do not show it."""
_MATH_ATTRIBUTES: Final = words("mathcolor mathbackground mathsize")
_OLD_COLOUR: Final = re.compile(r"[0-9a-fA-F]{6}")
_OLD_LENGTH: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?(?:px|%)?")
_HINTED: Final[Mapping[str, Mapping[str, str]]] = {
    "td": {"width": "width"},
    "th": {"width": "width"},
    "table": {"width": "width", "cellspacing": "border-spacing", "cellpadding": "padding-left"},
    "body": {"marginwidth": "margin-left", "leftmargin": "margin-left", "rightmargin": "margin-right"},
}
"""Attributes that are lengths, and the properties that they set."""
_NO_EFFECT: Final = words(
    "none normal auto initial unset revert visible border-box padding-box content-box all isolate over 0 "
    "0px 0% 1 100% inherit revert-layer"
)
_UNSEEN_STYLES: Final = re.compile(
    r"clip-path:(?:inset\((?:50%|[^;)]{0,20}?100%)|(?:circle|ellipse)\( ?0|rect\( ?0(?: 0){3}|xywh\( ?0 0 0"
    r"|polygon\( ?0(?:px)? 0(?:px)?(?:, ?0(?:px)? 0(?:px)?)+ ?\))"
    r"|transform:(?:.* )?(?:scale(?:x|y|3d)?\( ?0?\.?0\d*(?:px)?[ ,)]|matrix\( ?0, ?0, ?0, ?0"
    r"|rotate[xy]\( ?(?:90|270)deg|translate(?:x|y|3d)?\((?:[^)]{1,20}, ?)?-\d{4})"
    r"|scale:0?\.?0\d*(?: .*)?|translate:(?:0(?:px)? )?-\d{4}.*|rotate:[xy] (?:90|270)deg"
    r"|filter:opacity\( ?0?\.?0*%? ?\)|content-visibility:hidden"
    r"|mask-image:[a-z-]{1,30}-gradient\( ?(?:transparent|#0000)(?:, ?(?:transparent|#0000))* ?\)"
)
"""Pattern of the styles that move an element out of sight, or cut it to a point."""
_JUDGED_ALONE: Final = words(
    "display visibility position float overflow-x overflow-y color background-color background-image "
    "background-clip text-fill-color opacity zoom font-size font-family line-height letter-spacing text-indent "
    "text-decoration-line background-position background-position-x background-position-y background-size "
    "background-repeat width height max-width max-height top right bottom left white-space "
    "text-wrap text-wrap-mode white-space-collapse clip z-index box-shadow text-shadow all grid-area "
    "grid-row grid-row-start grid-row-end grid-column grid-column-start grid-column-end "
    "text-decoration-thickness word-spacing vertical-align border border-width outline outline-width"
) | {f"{kind}-{side}" for kind in ("margin", "padding", "border") for side in ("top", "right", "bottom", "left")}
_FILLING: Final = words("0 0% 0px auto none center top left repeat repeat-x cover 100% / ,")
"""Words of places and sizes with which a picture lies behind all of an element."""
_LONGEST_DATA: Final = 100_000
_DATA: Final = re.compile(
    r"(?:\s*+(?:var|let|const)\s++(?!location\b)[\w$]++\s*+="
    r"(?:\"[^\"\\\n]*+\"|'[^'\\\n]*+'|[\w\s.,:\[\]{}+-])++;?+)*+\s*+"
)
_STANDING_OUT: Final = re.compile("background-clip|text-stroke.*|text-shadow|mix-blend-mode|filter|animation-name")
"""Pattern of the properties by which letters may be told from a ground of their colour."""
_MOVING: Final = frozenset(
    (
        *("transform", "translate", "rotate", "scale", "offset", "offset-path", "offset-position"),
        *("grid-area", "grid-row", "grid-row-start", "grid-row-end", "position-area", "position-anchor"),
        *("grid-column", "grid-column-start", "grid-column-end"),
    )
)
"""Properties by which an element comes to lie on others."""


class _ComputedState(NamedTuple):
    """The part of an element's computed style that its text or the elements within it depend on."""

    custom: Mapping[str, Tokens] = {}
    font_size: float | None = EM
    """Pixels; None if not known."""
    ink: Rgba | None = (0.0, 0.0, 0.0, 1.0)
    fill: Rgba | str | None = "ink"
    grounds: tuple[Color, ...] | None = (WHITE,)
    """The colours behind the text; None if not known."""
    grounds_of_blocks: tuple[Color, ...] | None = (WHITE,)
    """The colours behind blocks within the element, which the ground of a line does not reach."""
    opacity: float | None = 1.0
    is_visible: bool = True
    is_out: bool = False
    """True if the element and all within it are out of sight."""
    is_absent: bool = False
    """True if the element and all within it certainly take no part in the page."""
    is_cut: bool = False
    """True if it is cut to nothing. Elements within it that have another place are not."""
    is_unsure: bool = False
    may_stand_out: bool = False
    """True if its text may be told from the ground although its colour is not."""
    is_displaced: bool = False
    """True if it may be in front of others, or behind them."""
    keeps_lines: bool = False
    is_clipped: bool = False
    """True within an element that cuts off what exceeds it."""
    is_item: bool = False
    """True within a flexible box or a grid."""
    room: float = _WIDTH
    """Pixels of width that the text certainly has in its element; 0 if that is not known."""
    is_pushed: bool = False
    """True if what stands beside it may push it out of the elements around it."""
    behind: frozenset[Color] | None = frozenset((WHITE,))
    """The colours on which it then lies; None if they are not known."""
    narrows_items: bool = False
    """True for a grid whose columns may be narrower than their contents."""
    lowers_items: bool = False
    """True for a grid whose rows may be lower than their contents."""
    is_low: bool = False
    """True within an element of a certain height, which may not hold all of it."""
    is_loose: bool = False
    """True within a float, which others may lie on."""
    is_backward: bool = False
    """True if what exceeds its place may do so to the left or upwards, where no one can scroll."""
    is_front: bool = False
    """True if it is drawn after the texts of the blocks around it."""
    has_fixed_columns: bool = False
    """True within a table whose columns do not grow with their contents."""
    advance: float = EM * _MEAN_WIDTH
    """Pixels from one letter to the next one, at most."""
    line: float | None = None
    """Height of lines as a share of the font's size, if positive, else in pixels below zero; None if it is usual."""
    display: str = "block"
    indent: float = 0.0
    shift: float = 0.0
    """Pixels by which offsets and margins have moved it to the right."""
    rise: float = 0.0
    """Pixels by which they have moved it up."""


def appearance_of(tree: PageTree) -> Appearance:
    """Judge all elements of a page."""
    cascade = Cascade(tree.elements, StyleSheets.of(tree))
    sights, struck, removed, boxed = _JudgedPage(tree, cascade, with_possible=False).judged()
    if cascade.depends or any(one.tag == "body" and "vlink" in one.attributes for one in tree.elements):
        others, _, others_removed, others_boxed = _JudgedPage(tree, cascade, with_possible=True).judged()
        sights = {key: one if one == others[key] else Sight.UNSURE for key, one in sights.items()}
        removed &= others_removed
        boxed |= others_boxed
    return Appearance(sights, struck, removed, boxed, cascade.is_complete and not any(map(_runs, tree.elements)))


def _runs(element: Element) -> bool:
    """True for what may change the page: scripts, also in attributes, `refresh`, and a choice of dark colours."""
    if element.tag == "meta":
        is_dark = element.attributes.get("name", "").lower() == "color-scheme" and not _has_no_effect(
            "color-scheme", element.attributes.get("content", "").lower()
        )
        return is_dark or element.attributes.get("http-equiv", "").lower() == "refresh"
    if element.tag == "script":
        kind = element.attributes.get("type", "").strip().lower()
        return (kind in ("", "module") or kind.endswith("script")) and not _is_data(element)
    return any(name.startswith("on") for name in element.attributes)


def _is_data(script: Element) -> bool:
    """True for a script that only gives values to variables, and so changes nothing."""
    text = script.text
    return "src" not in script.attributes and len(text) <= _LONGEST_DATA and _DATA.fullmatch(text) is not None


class _JudgedPage:
    """The elements of a page with all certain rules, and the possible ones if these are wanted, too."""

    def __init__(self, tree: PageTree, cascade: Cascade, *, with_possible: bool) -> None:
        self._elements = tree.elements
        self._cascade = cascade
        self._with_possible = with_possible
        self._root_size = EM
        self._ink_of_links = _ink_of_links(tree, visited=with_possible)
        self._grounds: set[Color] | None = {WHITE}
        self._has_covers = False
        """True if something may lie on any text of the page, or if the page cannot be judged."""
        self._has_fronts = False
        """True if something may lie on texts that exceed their places."""
        self._has_front_blocks = False
        """True if something may lie on floats."""
        self._properties_left = _MOST_PROPERTIES
        self._declarations_left = _MOST_DECLARATIONS
        self._hidden_by: dict[tuple[str, int, int], bool] = {}
        self._computed: dict[tuple[int, int, str, str], _ComputedState] = {}
        self._kept: list[object] = []
        self._styles: dict[int, dict[str, list[Any]]] = {}

    def judged(self) -> tuple[dict[int, Sight], set[int], set[int], set[int]]:
        """Return the sights of all elements, and the identities of the struck ones, of those not displayed and of those
        with a place of their own."""
        states: dict[int, _ComputedState] = {}
        struck: set[int] = set()
        boxed: set[int] = set()
        for one in self._elements:
            around = states[id(one.parent)] if one.parent is not None else _ComputedState()
            state, style = self._state(one, around)
            states[id(one)] = state
            if one.parent is None and state.font_size:
                self._root_size = state.font_size
            if "line-through" in written(style.get("text-decoration-line", ())):
                struck.add(id(one.source))
            if _has_own_place(one.tag, style) or "flex" in around.display or "grid" in around.display:
                boxed.add(id(one.source))
        sights = self._sights(states)
        if not self._has_covers and any(
            (self._is_blank_cover(states[id(one)]) or _has_low_lines(states[id(one)])) and one.text.strip()
            for one in self._elements
        ):
            self._has_covers = True
            sights = self._sights(states)
        removed = {id(one.source) for one in self._elements if states[id(one)].display == "none"}
        return sights, struck, removed, boxed

    def _is_blank_cover(self, state: _ComputedState) -> bool:
        """True if signs in the colour of a ground may lie on other texts."""
        if not state.is_displaced or state.is_out or not state.is_visible:
            return False
        ink = _ink_of(state)
        if ink is None or self._grounds is None:
            return True
        return ink[3] > 0 and not all(_contrast_seen(ink, one) for one in self._grounds)

    def _sights(self, states: Mapping[int, _ComputedState]) -> dict[int, Sight]:
        return {
            id(one.source): self._sight(
                states[id(one)]._replace(is_unsure=True) if _is_closed(one) else states[id(one)], one.text
            )
            for one in self._elements
        }

    def _sight(self, state: _ComputedState, text: str) -> Sight:
        if state.is_out or not state.is_visible or state.is_cut or abs(state.indent) >= _FAR:
            return Sight.UNSEEN
        ink = _ink_of(state)
        grounds = state.grounds
        is_tight = state.is_low or state.room < _width_needed(state, text)
        if self._grounds is not None and (grounds is None or is_tight or state.is_loose):
            grounds = (*(grounds or ()), *self._grounds)
        elif state.is_pushed and grounds is not None and state.behind is not None:
            grounds = (*grounds, *state.behind)
        contrasts = [_contrast_seen(ink, ground) for ground in grounds or ()] if ink is not None else []
        is_faint = (
            (state.font_size is not None and state.font_size <= _SMALLEST)
            or (state.opacity is not None and state.opacity < _LEAST_OPACITY)
            or (state.grounds is not None and bool(contrasts) and not any(contrasts))
            or (ink is not None and ink[3] == 0.0)
        )
        if is_faint:
            return Sight.UNSURE if state.may_stand_out else Sight.FAINT
        is_sure = (
            not (state.is_unsure or self._has_covers)
            and not (self._has_fronts and is_tight)
            and not (self._has_front_blocks and state.is_loose)
            and not ((state.is_clipped or state.is_backward) and (is_tight or state.is_pushed))
            and state.font_size is not None
            and state.font_size >= _SMALL
            and state.opacity is not None
            and state.opacity >= _FAIR_OPACITY
            and bool(contrasts)
            and min(contrasts) >= _FAIR_CONTRAST
        )
        return Sight.SEEN if is_sure else Sight.UNSURE

    def _state(self, element: Element, around: _ComputedState) -> tuple[_ComputedState, dict[str, list[Any]]]:
        declared = self._cascade.declarations(element, _hints(element), with_possible=self._with_possible)
        key = (id(declared), id(around), element.tag, _own_kind(element))
        if key not in self._computed:
            custom = self._custom(declared, around.custom)
            style, doubts = self._style(declared, custom)
            self._computed[key] = self._compute(element, around, custom, style, doubts)
            self._styles[id(self._computed[key])] = style
        state = self._computed[key]
        style = self._styles[id(state)]
        if element.tag in ("input", "option") and _is_cut_control(element, state):
            state = state._replace(is_unsure=True)
            self._kept.append(state)
        if state.keeps_lines and _line_needed(state, element.length) > state.room:
            state = state._replace(room=0.0)
            self._kept.append(state)
        # All of them are judged, for each may lie on others.
        hiding = [self._is_hidden_by(name, found, state) for name, found in self._cascade.of_pseudo_elements(element)]
        if any(hiding):
            state = state._replace(is_unsure=True)
            self._kept.append(state)
        return state, style

    def _custom(self, declared: Sequence[Declaration], around: Mapping[str, Tokens]) -> Mapping[str, Tokens]:
        own = {one.name: one.tokens for one in declared if one.name.startswith("--")}
        if not own:
            return around
        self._properties_left -= len(around) + len(own)
        if self._properties_left < 0:
            self._has_covers = True  # the page has more than are read
            return around
        kept = {**around}
        for name, value in own.items():
            word = _word(significant(value))
            if word in ("initial", "unset", "inherit", "revert"):
                if word == "initial":
                    kept.pop(name, None)
                continue
            kept[name] = value
        return kept

    def _style(
        self, declared: Sequence[Declaration], custom: Mapping[str, Tokens]
    ) -> tuple[dict[str, list[Any]], Mapping[str, Doubt]]:
        """Return the values of single properties, and how much of the page the declared ones make unsure."""
        style: dict[str, list[Any]] = {}
        doubts: dict[str, Doubt] = {}
        self._declarations_left -= len(declared)
        if self._declarations_left < 0:
            self._has_covers = True  # the page has more than are read
            return style, doubts
        for name, tokens, _, doubt in declared:
            if name.startswith("--"):
                continue
            if doubt is None:
                value = substituted(tokens, custom)
                doubt = doubt_about(name, value or ())
                # A value without a meaning then counts as none at all.
                tokens = value if value is not None else tinycss2.parse_component_value_list("unset")
            if doubt:
                doubts[name] = doubt
            else:
                doubts.pop(name, None)  # browsers take the last value that they know
            if name == "all":
                style.clear()
            style.update(longhands(name, tokens))
        kept = {name: value for name, value in style.items() if _word(value) not in ("unset", "revert")}
        return kept, doubts

    def _compute(
        self,
        element: Element,
        around: _ComputedState,
        custom: Mapping[str, Tokens],
        style: Mapping[str, list[Any]],
        doubts: Mapping[str, Doubt],
    ) -> _ComputedState:
        """Return the state of an element from its style and the state of the element around it."""
        reader = _StyleReader(style, around, self._root_size)
        font_size = reader.font_size()
        reader.font_size_here = font_size if font_size is not None else EM
        display = reader.word("display") or _usual_display(element.tag)
        position = reader.word("position") or "static"
        is_free = position in ("absolute", "fixed")
        is_item = "flex" in around.display or "grid" in around.display or around.display.endswith("box")
        is_inline = display == "inline" and not is_free and reader.word("float") in ("", "none") and not is_item
        is_item |= around.is_item
        moved = reader.moved(position)
        is_moved = moved.is_displaced or is_free or position == "sticky"
        shift, rise = moved.shift + (0.0 if is_free else around.shift), moved.rise + (0.0 if is_free else around.rise)
        is_displaced = around.is_displaced or is_moved
        is_hidden = around.is_out or display == "none" or moved.is_out or reader.is_unseen()
        is_unsure = around.is_unsure or moved.is_unsure or bool(doubts) or reader.cuts_lines() or _is_unsure(element)
        is_absent = around.is_absent or (display == "none" and doubts.keys().isdisjoint(("display", "all")))
        self._has_covers |= Doubt.PAGE in doubts.values() and not is_absent
        area = _ShownArea()
        if not is_inline:
            area = reader.area(is_item=is_item, is_table=display.startswith("table"))
        is_part = display.startswith("table") or display == "inline-table"
        has_fixed_columns = is_part and around.has_fixed_columns
        has_fixed_columns |= reader.word("table-layout") not in ("", "auto", "initial")
        # A table grows with its contents.
        is_clipped = (
            around.is_clipped
            or element.tag == "select"
            or (area.cuts and (not is_part or has_fixed_columns or "max-width" in style))
        )
        is_unsure |= element.tag in ("html", "body") and reader.word("overflow-y") in ("hidden", "clip")
        is_cut = around.is_cut or area.is_cut
        if is_free and around.is_cut and not area.is_cut:
            is_cut, is_unsure = False, True  # it is cut only if the element that places it is
        keeps_lines = reader.keeps_lines(element)
        is_unsure |= is_clipped and ((keeps_lines and bool(element.children)) or abs(reader.indent()) > _LEAST_WIDTH)
        is_floating = reader.word("float") in ("left", "right", "inline-start", "inline-end")
        below = around.grounds if is_inline else around.grounds_of_blocks
        # A float may exceed the element around it.
        visibility = reader.word("visibility")
        is_visible = around.is_visible if visibility in ("", "inherit") else visibility in ("visible", "initial")
        grounds, has_ground = self._ground(reader, None if is_moved or is_floating else below)
        if has_ground and not is_visible:
            grounds, has_ground = None, False  # it is not drawn, but others may become visible
        is_own_item = "flex" in around.display or "grid" in around.display or around.display.endswith("box")
        is_cell = display == "table-cell" and not has_fixed_columns
        has_width = reader.has_width()
        is_pushed = around.is_pushed or is_own_item or (display == "table-cell" and len(element.siblings) > 1)
        room = reader.room(element, is_inline=is_inline and element.tag not in _REPLACED)
        if is_cell or ((is_own_item or is_floating or display == "inline-block") and not has_width):
            room, is_pushed = _WIDTH, is_pushed or around.room < _NARROW  # it grows with its contents
        if (display == "table-cell" and has_fixed_columns) or (is_own_item and around.narrows_items):
            room = 0.0
        behind = around.behind
        if has_ground and not is_inline:
            grows = (is_part and not has_fixed_columns) or (is_own_item and not has_width)
            of_outer: frozenset[Color] | None = frozenset() if grows else behind
            behind = None if grounds is None or of_outer is None else of_outer | {*grounds}
        is_low = around.is_low or (
            not is_inline
            and element.tag not in ("html", "body")
            and ((not is_part and not reader.holds(element)) or (is_own_item and around.lowers_items))
        )
        is_backward = around.is_backward or reader.is_backward(element, has_height=around.is_low or reader.has_height())
        is_stacked = reader.is_stacked(position)
        is_front = around.is_front or is_stacked
        if is_inline and has_ground | reader.has_thick("border") | (element.tag == "mark"):
            self._has_covers |= reader.exceeds_line()
        if element.tag in _REPLACED and not {reader.word("overflow-x"), reader.word("overflow-y")} <= _CUTTING:
            self._has_covers = True
        if display == "contents":
            grounds, has_ground = below, False
        if element.tag in _CONTROLS and style.keys().isdisjoint(("background-color", "background-image")):
            grounds = (WHITE,)
        has_box = has_ground or element.tag in _REPLACED or "box-shadow" in style or reader.has_thick("border")
        self._has_covers |= not is_hidden and ((is_displaced and has_box) or reader.has_thick("outline"))
        if has_box and not is_hidden:
            is_atomic = is_own_item or is_floating or display.startswith("inline-") or element.tag in _REPLACED
            self._has_fronts |= is_front or is_atomic
            self._has_front_blocks |= is_front and not (is_inline or is_atomic)
            self._has_covers |= is_low and (is_stacked or is_backward)
        ink = reader.colour("color", around.ink)
        if "color" not in style:
            if element.tag in _CONTROLS or element.tag in ("mark", "option"):
                is_disabled = "disabled" in element.attributes or any(
                    one.tag == "fieldset" and "disabled" in one.attributes for one in element.ancestors()
                )
                ink = _DISABLED if is_disabled else (0.0, 0.0, 0.0, 1.0)
            elif element.tag == "a" and "href" in element.attributes:
                ink = self._ink_of_links
        fill: Rgba | str | None = around.fill
        if "text-fill-color" in style:
            is_ink = written(style["text-fill-color"]) in ("currentcolor", "initial")
            fill = "ink" if is_ink else reader.colour("text-fill-color", around.ink)
        if element.tag in ("col", "colgroup") and (visibility == "collapse" or display == "none"):
            self._has_covers = True  # a column is hidden, which holds no element
        return _ComputedState(
            custom,
            font_size,
            ink,
            fill,
            grounds,
            around.grounds_of_blocks if is_inline else grounds,
            reader.opacity(),
            is_visible,
            is_hidden or element.tag in CLOSED,
            is_absent,
            is_cut,
            is_unsure or area.is_small or shift + min(0.0, reader.indent()) < -_MOST_SHIFT or rise > 2 * _MOST_SHIFT,
            around.may_stand_out or reader.may_stand_out(),
            is_displaced,
            keeps_lines,
            is_clipped,
            is_item,
            room,
            is_pushed,
            behind,
            reader.narrows_items("columns"),
            reader.narrows_items("rows"),
            is_low,
            around.is_loose or is_floating,
            is_backward,
            is_front,
            has_fixed_columns,
            reader.advance(),
            reader.line(around.line),
            display,
            reader.indent(),
            shift,
            rise,
        )

    def _ground(self, reader: _StyleReader, below: tuple[Color, ...] | None) -> tuple[tuple[Color, ...] | None, bool]:
        """Return the colours behind the text of an element, and whether it has a ground of its own. `below` are the
        colours behind the element; None if they are not known."""
        colour = reader.colour("background-color", (0.0, 0.0, 0.0, 0.0), transparent=True)
        images = [one for one in reader.style.get("background-image", ()) if one.type in ("url", "function")]
        grounds = below
        has_ground = bool(images) or colour is None or colour[3] > 0
        if colour is None:
            grounds = None
        elif colour[3] == 1.0:
            grounds = (colour[:3],)
        elif colour[3] > 0 and grounds is not None:
            grounds = tuple([mixed(colour[:3], one, colour[3]) for one in grounds])
        elif colour[3] > 0:
            self._grounds = None
        if images:
            of_images = _grounds_of(images, grounds)
            is_partial = any(
                not _FILLING.issuperset(written(value).split())
                for name, value in reader.style.items()
                if name.startswith(("background-position", "background-size", "background-repeat"))
            )
            grounds = None if of_images is None or (is_partial and grounds is None) else (*of_images, *(grounds or ()))
            grounds = grounds if is_partial else of_images
        if grounds is not None and len(grounds) > _MOST_COLOURS:
            grounds = None
        if has_ground:
            if grounds is None:
                self._grounds = None
            elif self._grounds is not None:
                self._grounds |= {*grounds}
        if self._grounds is not None and len(self._grounds) > _MOST_COLOURS:
            self._grounds = None
        return grounds, has_ground

    def _is_hidden_by(self, name: str, declared: Sequence[Declaration], state: _ComputedState) -> bool:
        """True if a rule for a pseudo-element may cover the text of its element, or change its first letters."""
        key = name, id(declared), id(state)
        if key not in self._hidden_by:
            self._kept.append(state)
            self._hidden_by[key] = self._hides(name, declared, state)
        return self._hidden_by[key]

    def _hides(self, name: str, declared: Sequence[Declaration], state: _ComputedState) -> bool:
        style, doubts = self._style(declared, state.custom)
        if name in ("first-line", "first-letter"):
            return bool(style.keys() - {"line-height", "letter-spacing", "font-family"})
        if name not in ("before", "after"):
            return name == "marker" and "content" in style
        reader = _StyleReader(style, state, self._root_size)
        has_content = reader.word("content") not in ("", "''", '""', "none", "normal")
        self._has_covers |= Doubt.PAGE in doubts.values() or (has_content and "line-height" in style)
        is_moved = reader.word("position") not in ("", "static") or reader.moved("static").is_displaced
        is_moved |= not style.keys().isdisjoint(_MOVING)
        if is_moved:
            colour = reader.colour("background-color", (0.0, 0.0, 0.0, 0.0), transparent=True)
            self._has_covers |= (
                colour is None
                or colour[3] > 0
                or has_content
                or any(name in style for name in ("background-image", "box-shadow"))
                or reader.has_thick("border")
            )
        self._has_covers |= reader.has_thick("outline")
        is_wide = any(name.startswith(("width", "padding", "margin", "border")) for name in style)
        return bool(doubts) or (state.is_clipped and is_wide)


class _Move(NamedTuple):
    is_out: bool = False
    is_unsure: bool = False
    is_displaced: bool = False
    shift: float = 0.0
    rise: float = 0.0


class _ShownArea(NamedTuple):
    is_cut: bool = False
    is_small: bool = False
    """True if a part of the text may have no place."""
    cuts: bool = False
    """True if what exceeds it is cut off, in one direction or in both."""


class _StyleReader:
    """Reads the values of an element's style."""

    def __init__(self, style: Mapping[str, list[Any]], around: _ComputedState, root_size: float) -> None:
        self.style = style
        self._around = around
        self._root_size = root_size
        self.font_size_here = EM

    def word(self, name: str) -> str:
        """Return a value in small letters; "" if there is none."""
        return written(self.style[name]) if name in self.style else ""

    def length(self, name: str, whole: float | None = None) -> float | None:
        """Return a length in pixels; 0 for a word such as `auto`, and None if it is not known."""
        value = self.style.get(name)
        if value is None or value[0].type == "ident":
            return 0.0
        return pixels(value[0], font_size=self.font_size_here, root_size=self._root_size, whole=whole)

    def font_size(self) -> float | None:
        around = self._around.font_size
        value = self.style.get("font-size")
        if value is None:
            return around
        word = written(value)
        if word in FONT_SIZES:
            return FONT_SIZES[word]
        if around is None and not (value[0].type == "dimension" and value[0].lower_unit not in ("em", "ex", "ch")):
            return None
        size = around or 0.0
        if word in ("smaller", "larger", "inherit"):
            return size * {"smaller": 0.83, "larger": 1.2, "inherit": 1.0}[word]
        if value[0].type == "ident":
            return EM
        return pixels(value[0], font_size=size, root_size=self._root_size, whole=size)

    def colour(self, name: str, around: Rgba | None, *, transparent: bool = False) -> Rgba | None:
        value = self.style.get(name)
        if value is None:
            return around
        word = written(value)
        if word == "inherit":
            return None if transparent else around
        if word in ("initial", "revert-layer"):
            return around if transparent else (0.0, 0.0, 0.0, 1.0) if word == "initial" else None
        found = colour_of(value)
        if found == "currentcolor":
            return None if transparent else around
        return found if isinstance(found, tuple) else None

    def opacity(self) -> float | None:
        value = self.style.get("opacity")
        around = self._around.opacity
        if value is None or value[0].type == "ident" or around is None:
            return around
        own = _number(value[0])
        return None if own is None else around * min(1.0, max(0.0, own))

    def indent(self) -> float:
        if "text-indent" not in self.style or self.word("text-indent") == "inherit":
            return self._around.indent
        found = self.length("text-indent", _WIDTH)
        return 0.0 if found is None else found

    def has_width(self) -> bool:
        """True if a style says how wide, or how much narrower than its contents, it may be."""
        names = ("width", "max-width", "min-width", "flex-basis", "flex", "container-type")
        return any(one.type in ("dimension", "percentage") for name in names for one in self.style.get(name, ())) or (
            written(self.style.get("min-width", ())) == "0"
        )

    def room(self, element: Element, *, is_inline: bool) -> float:
        """Return the pixels of width that an element surely leaves to its contents; 0 if that is not known."""
        left = self._around.room
        lengths = [self.length(f"{kind}-{side}", left) for kind in ("margin", "padding") for side in ("left", "right")]
        if None in lengths:
            return 0.0
        outer = sum(max(0.0, one or 0.0) for one in lengths) + 2 * self.thickness("border")
        if not {"margin-left", "padding-left"} & self.style.keys():
            outer += _INDENTS.get(element.tag, 0.0)
        if is_inline:
            return max(0.0, left - outer)
        least = self.length("min-width", left)
        widths = [self.length(name, left) for name in ("width", "max-width") if self._is_size(name)]
        sizes = [one for one in widths if one is not None]
        if least is None or None in widths or least > left or (sizes and self._is_size("width") and sizes[0] > left):
            return 0.0
        basis = [one for name in ("flex", "flex-basis") for one in self.style.get(name, ()) if one.type == "dimension"]
        if any((pixels(one) or 0.0) < _NARROW and one.value for one in basis) or self.word("min-width") == "0":
            return 0.0
        return max(0.0, min([left, *sizes]) - outer)

    def _is_size(self, name: str) -> bool:
        return name in self.style and self.style[name][0].type != "ident"

    def thickness(self, kind: str) -> float:
        """Return the pixels of the thickest border or outline; infinite if that is not known."""
        sizes = [
            pixels(one) if one.type in ("dimension", "function") else 5.0 * (_word([one]) == "thick")
            for name, value in self.style.items()
            if name == kind or (name.startswith(f"{kind}-") and name.endswith(_ENDS_OF_WIDTHS))
            for one in value
        ]
        return max((float("inf") if one is None else one for one in sizes), default=0.0)

    def advance(self) -> float:
        """Return the most pixels from one letter to the next one."""
        around = max(0.0, self._around.advance - _MEAN_WIDTH * (self._around.font_size or EM))
        spacing = self.length("letter-spacing", self.font_size_here) if "letter-spacing" in self.style else around
        return _MEAN_WIDTH * self.font_size_here + max(0.0, spacing or 0.0)

    def holds(self, element: Element) -> bool:
        """True if an element is as high as its text."""
        if not self.has_height():
            return True
        heights = [self.length(name) for name in ("height", "max-height") if self._is_size(name)]
        low = min((0.0 if one is None else one for one in heights), default=0.0)
        is_plain = not element.children and element.length <= _SHORT and not self.length("padding-top", _WIDTH)
        line = self.line(self._around.line)
        needed = EM if line is None else -line if line < 0 else line * self.font_size_here
        return element.length == 0 or (is_plain and low >= max(self.font_size_here, needed))

    def is_stacked(self, position: str) -> bool:
        """True if an element is drawn after the texts before it and behind it."""
        return (
            position != "static"
            or ("opacity" in self.style and self.word("opacity") not in ("1", "100%"))
            or any(self.word(name) not in ("", "auto") for name in ("isolation", "will-change"))
        )

    def is_backward(self, element: Element, *, has_height: bool) -> bool:
        """True if an element lets its contents exceed it to the left, or upwards."""
        names = (*_ALONG, *(_ACROSS if has_height else ()))
        is_aligned = any(
            not _FORWARD.issuperset(self.word(name).split() if name.startswith("place") else [self.word(name)])
            for name in names
            if name in self.style
        )
        is_right = self.word("float") == "right" or self.word("direction") == "rtl"
        is_right |= element.attributes.get("dir", "").lower() == "rtl"
        return is_aligned or is_right

    def narrows_items(self, axis: str) -> bool:
        names = ("grid", "grid-template", f"grid-template-{axis}", f"grid-auto-{axis}")
        return any(not _GROWING_TRACKS.fullmatch(self.word(name)) for name in names if name in self.style)

    def line(self, around: float | None) -> float | None:
        """Return the height of a line as a share of the font's size, or as pixels below zero; None if it is usual."""
        value = self.style.get("line-height")
        word = self.word("line-height")
        if value is None or word == "inherit":
            return around
        if value[0].type == "ident":
            return None
        if value[0].type == "number":
            return float(value[0].value)
        size = self.length("line-height", self.font_size_here)
        return 0.0 if size is None else -size

    def keeps_lines(self, element: Element) -> bool:
        for name in ("white-space", "text-wrap", "text-wrap-mode"):
            if word := self.word(name):
                return "nowrap" in word or word == "pre"
        return self._around.keeps_lines or element.tag in ("pre", "nobr") or "nowrap" in element.attributes

    def moved(self, position: str) -> _Move:
        """Judge where an element is moved by its position and its margins."""
        is_out = is_unsure = is_displaced = False
        for side in ("left", "top", "right", "bottom") if position != "static" else ():
            value = self.length(side, _WIDTH if side in ("left", "right") else _HEIGHT)
            if value is None:
                is_unsure = is_displaced = True
                continue
            is_displaced |= abs(value) > _DISPLACED
            is_far = value <= -_FAR or (
                side in ("left", "right") and value >= _FAR and (side == "right" or value > _WIDTH)
            )
            if position == "fixed":
                is_far |= value >= (_WIDTH if side in ("left", "right") else _HEIGHT)
            is_out |= is_far and position != "sticky"
            is_unsure |= value < -100 or value >= _FAR or (position == "sticky" and is_far)
        for side in ("left", "top", "right", "bottom"):
            margin, padding = self.length(f"margin-{side}", _WIDTH), self.length(f"padding-{side}", _WIDTH)
            if margin is None or padding is None:
                is_unsure = True
                is_displaced |= margin is None
                continue
            is_out |= margin <= -_FAR and side in ("left", "top")
            is_unsure |= margin < -100 or margin > _FAR or padding > _FAR
            is_displaced |= margin < (-40.0 if side in ("left", "right") else -_DISPLACED)
        lengths = {side: self._offset(side, position) for side in ("left", "right", "top", "bottom")}
        shift = lengths["left"] - lengths["right"] * (position == "relative")
        rise = max(0.0, -lengths["top"]) + max(0.0, lengths["bottom"]) * (position == "relative")
        return _Move(
            is_out, is_unsure, is_displaced or not self.style.keys().isdisjoint(_MOVING - {"scale"}), shift, rise
        )

    def _offset(self, side: str, position: str) -> float:
        """Return the pixels by which an element, or its contents, are moved from a side; 0 for what is not known."""
        names = [f"margin-{side}", f"padding-{side}"] if side in ("left", "top") else []
        if position == "relative":
            names.append(side)
        return sum(self.length(name, _WIDTH) or 0.0 for name in names)

    def area(self, *, is_item: bool, is_table: bool) -> _ShownArea:
        """Judge whether an element is cut to nothing, and whether what exceeds its size is cut off. The container of an
        `is_item` may leave it no place. Tables and their cells are as high as their contents."""
        overflow = [self.word(f"overflow-{axis}") or "visible" for axis in "xy"]
        is_open = overflow == ["visible", "visible"]
        cuts = not {"hidden", "clip"}.isdisjoint(overflow)
        is_small = is_item and cuts
        for name in ("width", "max-width", "height", "max-height"):
            value = self.style.get(name)
            is_width = name.endswith("width")
            if value is None or value[0].type == "ident" or (is_table and not is_width):
                continue
            is_share = value[0].type == "percentage"
            size = 0.0 if is_share and value[0].value == 0 else self.length(name, _WIDTH if is_width else None)
            if is_table:
                continue
            if size is not None and size < _LEAST_SIZE:
                if not is_open:
                    return _ShownArea(is_cut=True)
                is_small = True
            elif not is_open and not is_width and size is not None and size < _LEAST_WIDTH:
                is_small = True
            elif cuts:
                is_small |= (not is_share and (size is None or size < _FAIR_WIDTH)) if is_width else True
        return _ShownArea(False, is_small, cuts)

    def is_unseen(self) -> bool:
        zoom = _number(self.style["zoom"][0]) if "zoom" in self.style and self.style["zoom"][0].type != "ident" else 1.0
        if zoom is not None and zoom < 0.05:
            return True
        if self.word("position") in ("absolute", "fixed") and "clip" in self.style:
            inner = [
                one for token in self.style["clip"] if token.type == "function" for one in significant(token.arguments)
            ]
            sizes = [pixels(one) for one in inner if one.type != "literal"]
            if sizes and all(size is not None and size <= 1 for size in sizes):
                return True
        return any(
            _UNSEEN_STYLES.match(f"{name}:{written(value)}")
            for name, value in self.style.items()
            if name not in _JUDGED_ALONE
        )

    def has_height(self) -> bool:
        """True if it is no higher than a style says."""
        return any(name in self.style and self.style[name][0].type != "ident" for name in ("height", "max-height"))

    def exceeds_line(self) -> bool:
        """True if the ground or the border of words in a line exceeds the line."""
        sizes = [self.length(f"padding-{side}", _WIDTH) for side in ("top", "bottom")]
        line = self.line(self._around.line)
        is_low = line is not None and (line if line >= 0 else -line / max(1.0, self.font_size_here)) < 1.0
        exceeding = self.thickness("border") + max((float("inf") if one is None else one for one in sizes), default=0.0)
        return exceeding > _LEAST_PADDING or is_low

    def has_thick(self, kind: str) -> bool:
        """True if borders or outlines of this element may be thick."""
        return self.thickness(kind) > _THICK

    def may_stand_out(self) -> bool:
        names = (name for name in self.style if _STANDING_OUT.fullmatch(name))
        return any(not _has_no_effect(name, self.word(name)) for name in names)

    def cuts_lines(self) -> bool:
        """True if lines may be cut off, or lie on each other."""
        height = self.style.get("line-height")
        if height is not None and height[0].type != "ident":
            ems = _number(height[0])
            if ems is None:
                size = self.length("line-height", self.font_size_here)
                ems = None if size is None else size / max(1.0, self.font_size_here)
            if ems is None or ems < 0.5:
                return True
        spacing = self.length("letter-spacing", self.font_size_here)
        if spacing is None or spacing < -0.2 * self.font_size_here or spacing > 10 * self.font_size_here:
            return True
        for name in ("text-decoration-line", "text-decoration-thickness"):
            sizes = [pixels(one) for one in self.style.get(name, ()) if one.type == "dimension"]
            if any(size is None or size > _THICK for size in sizes):
                return True
        between = self.length("word-spacing", self.font_size_here)
        lift = self.length("vertical-align", self.font_size_here)
        if (
            between is None
            or not -0.25 < between / max(1.0, self.font_size_here) <= 5
            or lift is None
            or abs(lift) > 3 * EM
        ):
            return True
        if "text-indent" in self.style:
            indent = self.length("text-indent", _WIDTH)
            if indent is None or not -100 <= indent <= _LARGE:
                return True
        return False


def _hints(element: Element) -> str:
    """Return the style that an element has by its attributes or its tag."""
    get = element.attributes.get
    css: list[str] = []
    if get("hidden", "").lower() == "until-found":
        css.append("content-visibility: hidden")
    elif "hidden" in element.attributes or "popover" in element.attributes:
        css.append("display: none")
    if element.tag == "dialog" and "open" not in element.attributes:
        css.append("display: none")
    if element.tag == "font":
        if get("color"):
            css.append(f"color: {_old_colour(get('color', ''))}")
        if get("size", "") in _OLD_SIZES:
            css.append(f"font-size: {_OLD_SIZES[get('size', '')]}px")
    if element.tag == "body" and get("text"):
        css.append(f"color: {_old_colour(get('text', ''))}")
    if get("bgcolor") and element.tag in ("body", "table", "tr", "td", "th", "thead", "tbody", "tfoot", "marquee"):
        css.append(f"background-color: {_old_colour(get('bgcolor', ''))}")
    if get("background") and element.tag in ("body", "table", "tr", "td", "th"):
        css.append("background-image: url(x)")
    for name, css_name in _HINTED.get(element.tag, {}).items():
        if _OLD_LENGTH.fullmatch(get(name, "").strip()):
            css.append(f"{css_name}: {get(name, '').strip().removesuffix('px')}{'' if '%' in get(name, '') else 'px'}")
    if element.tag in ("table", "img") and get("align", "").lower() in ("left", "right"):
        css.append(f"float: {get('align', '').lower()}")
    if element.tag == "dialog" and "open" in element.attributes:
        css.append("position: absolute; background-color: Canvas; color: CanvasText")
    if element.tag == "slot":
        css.append("display: contents")
    if element.tag == "svg" and get("overflow"):
        css.append(f"overflow: {get('overflow')}")
    if element.tag in ("s", "del", "strike"):
        css.append("text-decoration-line: line-through")
    if get("width") == "0" and element.tag == "marquee":
        css.append("display: none")
    return "; ".join(one.replace(";", "")[:200] for one in css)


def _ink_of_links(tree: PageTree, *, visited: bool) -> Rgba | None:
    """Return the colour of links without a style, which a reader has `visited` or not; None if it is not known."""
    name = "vlink" if visited else "link"
    for one in tree.elements:
        if one.tag == "body" and name in one.attributes:
            found = colour_of(tinycss2.parse_component_value_list(_old_colour(one.attributes[name])[:200]))
            return found if isinstance(found, tuple) else None
    return 0.0, 0.0, 0.93, 1.0


def _old_colour(value: str) -> str:
    """Return the colour of an attribute, in which browsers need no `#`."""
    return f"#{value}" if _OLD_COLOUR.fullmatch(value.strip()) else value if value.strip() != "transparent" else "?"


def _is_cut_control(element: Element, state: _ComputedState) -> bool:
    """True if a control may be too narrow for its text: it cuts what exceeds it."""
    length = len(element.attributes.get("value", "")) if element.tag == "input" else element.length
    return length > 0 and (length * state.advance > state.room or state.indent > _LEAST_WIDTH)


def _own_kind(element: Element) -> str:
    """Return what else than the tag and the style decides on an element's state."""
    kinds = element.attributes.keys() & {"href", "nowrap", "disabled"}
    is_alone = len(element.siblings) == 1
    length = (element.length > 0) + (element.length > _SHORT)
    return (
        f"{_is_unsure(element)} {sorted(kinds)} {element.attributes.get('dir', '').lower()} {is_alone} "
        f"{bool(element.children)} {length}"
    )


def _is_unsure(element: Element) -> bool:
    """True for elements whose text a reader may have to look for, or sees otherwise than it is written."""
    attributes, parent = element.attributes, element.parent
    if element.tag == "bdo":
        return attributes.get("dir", "").lower() == "rtl"
    if element.tag in _UNUSUAL or (parent is not None and parent.tag == "semantics" and element.index > 0):
        return True
    if not attributes.keys().isdisjoint(_MATH_ATTRIBUTES):
        return True
    if element.tag == "option" and "selected" not in attributes:
        return parent is not None and "multiple" not in parent.attributes and "size" not in parent.attributes
    if element.tag == "textarea":
        return True
    if element.tag == "input":
        size = attributes.get("size", "")
        most = int(size) if size.isdecimal() and len(size) < _LONGEST_SIZE else _USUAL_SIZE
        return attributes.get("type", "").lower() == "password" or len(attributes.get("value", "")) > most
    if parent is None:
        return False
    if _is_closed(parent) and element is not next((one for one in parent.children if one.tag == "summary"), None):
        return True
    return any(one.tag == "template" and "shadowrootmode" in one.attributes for one in element.children)


def _has_own_place(tag: str, style: Mapping[str, list[Any]]) -> bool:
    """True if a style may set an element apart from the texts beside it in a line, or put one that is apart into it."""
    if tag in _BLOCKS or tag in _OF_TABLE:
        return "display" in style and written(style["display"]) not in _APART
    return not style.keys() <= _OF_LETTERS


def _word(value: Sequence[Any]) -> str:
    """Return the value in small letters if it is one word; else ""."""
    return str(value[0].lower_value) if len(value) == 1 and value[0].type == "ident" else ""


def _line_needed(state: _ComputedState, length: int) -> float:
    """Return the pixels of width in which signs have a place that stay on one line, unless they have line breaks."""
    needed = length * state.advance
    return needed if state.is_clipped or state.is_backward else min(needed, _LARGE)


def _width_needed(state: _ComputedState, text: str) -> float:
    """Return the pixels of width in which a text certainly has a place."""
    if state.keeps_lines:
        return max(_NARROW, _line_needed(state, len(text.strip())))
    longest = max((len(one) for one in _WORD.findall(text)), default=0)
    return max(_NARROW, longest * state.advance) if longest else 0.0


def _has_low_lines(state: _ComputedState) -> bool:
    """True if lines of the text may lie on others."""
    if state.line is None or state.is_absent or state.is_out or not state.is_visible:
        return False
    size = EM if state.font_size is None else state.font_size
    height = state.line * size if state.line > 0 else -state.line
    return size > _SMALLEST and height < _LEAST_LINE * size


def _is_closed(element: Element) -> bool:
    return element.tag == "details" and "open" not in element.attributes


def _ink_of(state: _ComputedState) -> Rgba | None:
    """Return the colour of letters; None if it is not known."""
    ink = state.ink if state.fill == "ink" else state.fill
    return (*ink[:3], ink[3] * (1.0 if state.opacity is None else state.opacity)) if isinstance(ink, tuple) else None


def _contrast_seen(ink: Rgba, ground: Color) -> float:
    """Return the contrast of letters to a ground; 0 if they are not seen on it."""
    shown = mixed(ink[:3], ground, ink[3])
    return contrast(shown, ground) if is_seen(shown, (ground,)) else 0.0


def _usual_display(tag: str) -> str:
    if tag in _OF_TABLE:
        return "table-cell" if tag in ("td", "th") else "table"
    return "block" if tag in _BLOCKS else "inline"


def _number(token: Any) -> float | None:
    """Return a number, or a percentage as a fraction; None if it is not known."""
    if token.type == "number":
        return float(token.value)
    if token.type == "percentage":
        return float(token.value) / 100
    if token.type == "function" and token.lower_name == "calc":
        return calculated(token.arguments, _number)
    return None


def _grounds_of(images: Iterable[Any], below: tuple[Color, ...] | None) -> tuple[Color, ...] | None:
    """Return the colours of gradients; None if one of the images is not a gradient, or not known."""
    found: list[Color] = []
    for one in images:
        is_gradient = one.type == "function" and one.lower_name.removeprefix("-webkit-").endswith("-gradient")
        colours = colours_within(one) if is_gradient else None
        if colours is None or (below is None and any(colour[3] < 1 for colour in colours)):
            return None
        found += [mixed(colour[:3], ground, colour[3]) for colour in colours for ground in below or (WHITE,)]
    return tuple(dict.fromkeys(found[:_MOST_COLOURS]))


def _has_no_effect(name: str, value: str) -> bool:
    if name == "outline-offset":
        return not value.startswith(("-", "calc"))
    if name in ("grid", "grid-template", "grid-template-rows", "grid-template-columns"):
        return re.search(r"(?<![\d.])0(?:fr|px|%)?(?![\d.%])", value) is None
    if name == "container-type":
        return value in ("normal", "inline-size")
    if name == "color-scheme":
        return "dark" not in value or "light" in value
    if name == "unicode-bidi":
        return "override" not in value
    if name == "contain":
        return not {"paint", "strict", "content", "size"} & {*value.split()}
    if name.startswith("text-stroke"):
        return value.startswith("0")
    if name in ("initial-letter", "line-clamp"):
        return value in ("normal", "none")
    return all(word in _NO_EFFECT for word in value.split())
