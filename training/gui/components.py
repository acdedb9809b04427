# ruff: noqa: E501 - HTML, CSS and words
"""Parts of a page, as HTML in the style of a framework."""

import base64
import html
import itertools
import random
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter

from training.gui.frameworks import Framework
from training.gui.words import Words

_ICONS = [
    "search",
    "menu",
    "x",
    "plus",
    "trash",
    "edit",
    "download",
    "upload",
    "heart",
    "star",
    "bell",
    "user",
    "settings",
    "house",
    "mail",
    "phone",
    "camera",
    "calendar",
    "cart",
    "share",
    "filter",
    "list",
    "grid",
    "map",
    "clock",
    "lock",
    "eye",
    "link",
    "image",
    "folder",
    "file",
    "send",
    "mic",
    "play",
    "pause",
    "info",
    "bookmark",
    "tag",
    "gift",
    "gear",
    "chevron-down",
    "chevron-right",
    "chevron-left",
    "arrow-left",
    "arrow-right",
    "more-horizontal",
    "three-dots",
    "trash-2",
    "edit-2",
    "pencil",
    "home",
    "shopping-cart",
    "house-door",
    "person",
    "envelope",
    "paperclip",
    "printer",
    "refresh-cw",
    "check",
    "globe",
    "moon",
    "sun",
    "wifi",
    "battery",
]


class Parts:
    """Generator of random parts."""

    def __init__(self, framework: Framework, words: Words, dice: random.Random, icons: Path) -> None:
        """`icons` is a folder of SVG files."""
        self.framework = framework
        self.words = words
        self.dice = dice
        self._icons = sorted(icons / f"{name}.svg" for name in _ICONS if (icons / f"{name}.svg").is_file())
        self._numbers = itertools.count()
        self._photos: list[str] = []

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def icon(self, size: int | None = None) -> str:
        """Return an inline icon in the colour of the text around it."""
        size = size or self.dice.choice((16, 18, 20, 24))
        drawing = re.sub(r"<\?xml.*?\?>|<!--.*?-->", "", self.dice.choice(self._icons).read_text(), flags=re.DOTALL)
        drawing = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", drawing)
        drawing = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", drawing)
        return drawing.replace("<svg", f'<svg width="{size}" height="{size}" style="vertical-align:-0.2em"', 1)

    def button(self, kind: str = "", text: str = "", *, icon: float = 0.2) -> str:
        kind = kind or self.dice.choice(
            ("primary", "primary", "secondary", "secondary", "outline", "ghost", "danger", "small")
        )
        text = html.escape(text or self.words.action())
        if self.chance(icon):
            text = f"{self.icon(16)} {text}" if self.chance(0.7) else f"{text} {self.icon(16)}"
        disabled = "disabled" if self.chance(0.05) else ""
        classes = self.framework.of(kind)
        if self.chance(0.15):
            return f'<a href="#" role="button" class="{classes} b">{text}</a>'
        return f'<button type="button" class="{classes}" {disabled}>{text}</button>'

    def icon_button(self) -> str:
        if self.chance(0.35):
            return f'<a href="#" aria-label="icon" class="plain" style="color:inherit">{self.icon()}</a>'
        return f'<button type="button" aria-label="icon" class="{self.framework.of("icon")}">{self.icon()}</button>'

    def labelled(self, field: str, text: str = "") -> str:
        label = f'<label class="{self.framework.of("label")}">{html.escape(text or self.words.field())}</label>'
        return f'<div class="g-field">{label}{field}</div>'

    def input(self, *, filled: float = 0.35) -> str:
        kind = self.dice.choice(("text", "text", "text", "email", "password", "search", "number", "date", "tel"))
        value = {"number": self.words.number().replace(",", ""), "date": "2026-05-17", "password": "secret12"}.get(
            kind, self.words.name()
        )
        shown = f'value="{value}"' if self.chance(filled) else ""
        hint = f'placeholder="{html.escape(self.words.field())}"' if self.chance(0.6) else ""
        return f'<input type="{kind}" class="{self.framework.of("input")}" {shown} {hint}>'

    def textarea(self) -> str:
        text = html.escape(self.words.paragraph()) if self.chance(0.4) else ""
        return f'<textarea class="{self.framework.of("textarea")}" rows="{self.dice.randint(2, 5)}" placeholder="{html.escape(self.words.field())}">{text}</textarea>'

    def select(self) -> str:
        options = "".join(f"<option>{html.escape(word)}</option>" for word in self.words.nouns(4))
        return self.framework.select.format(attributes=f'class="{self.framework.of("select")}"', options=options)

    def check(self, kind: str, text: str = "") -> str:
        """Return a box to tick. `kind` is checkbox or radio."""
        return self.framework.check.format(
            kind=kind,
            id=self._id(),
            attributes="checked" if self.chance(0.45) else "",
            text=html.escape(text or self.dice.choice((self.words.sentence, self.words.noun))()),
        )

    def switch(self, text: str = "") -> str:
        if not self.framework.switch:
            return self.check("checkbox", text)
        return self.framework.switch.format(
            id=self._id(), attributes="checked" if self.chance(0.5) else "", text=html.escape(text or self.words.noun())
        )

    def slider(self) -> str:
        return f'<input type="range" class="{self.framework.of("slider")}" value="{self.dice.randint(5, 95)}">'

    def tabs(self) -> str:
        if not self.framework.tabs:
            return ""
        count, chosen = self.dice.randint(3, 5), self.dice.randrange(3)
        on = {"bulma": "is-active", "uikit": "uk-active", "daisyui": "tab-active", "foundation": "is-active"}
        variants = {
            "bootstrap": ("nav-tabs", "nav-pills", "nav-underline"),
            "bulma": ("", "is-boxed", "is-toggle"),
            "daisyui": ("tabs-box", "tabs-border", "tabs-lift"),
        }
        items = "".join(
            self.framework.tab.format(
                text=html.escape(text),
                active=on.get(self.framework.name, "active") if place == chosen else "",
                selected='aria-selected="true"' if place == chosen else "",
            )
            for place, text in enumerate(self.words.nouns(count))
        )
        return self.framework.tabs.format(
            items=items, variant=self.dice.choice(variants.get(self.framework.name, ("",)))
        )

    def nav(self, count: int) -> str:
        items = "".join(
            self.framework.nav_item.format(text=html.escape(text), classes=self.framework.of("nav"))
            for text in self.words.nouns(count)
        )
        return (
            self.framework.nav.format(items=items)
            if self.framework.nav
            else f'<span class="g-row g-wide">{items}</span>'
        )

    def bar(self) -> str:
        """Return a navigation bar."""
        end = [self.icon_button() for _ in range(self.dice.randint(0, 3))]
        if self.chance(0.5):
            end.append(self.button(self.dice.choice(("primary", "outline", "small")), icon=0))
        if self.chance(0.35):
            end.insert(0, f'<span style="width:180px">{self.input(filled=0)}</span>')
        brand = f"<strong>{self.words.name().split()[1]}</strong>"
        return (
            f'<div class="{self.framework.of("bar")} g-bar">{brand}{self.nav(self.dice.randint(3, 6))}'
            f'<span class="g-row" style="margin-left:auto">{"".join(end)}</span></div>'
        )

    def side(self, count: int) -> str:
        """Return navigation at the side, with an entry per row."""
        drawn = self.chance(0.6)
        rows = "".join(
            f'<a href="#" class="{self.framework.of("side")} {"active" if not place else ""}" style="display:block">'
            f"{self.icon(18) + ' ' if drawn else ''}{html.escape(text)}</a>"
            for place, text in enumerate(self.words.nouns(count))
        )
        return f'<nav class="g-side">{rows}</nav>'

    def menu(self) -> str:
        if not self.framework.menu:
            return ""
        items = "".join(
            self.framework.menu_item.format(text=html.escape(text))
            for text in self.words.nouns(self.dice.randint(3, 6))
        )
        return f'<div style="width:max-content;min-width:180px">{self.framework.menu.format(items=items)}</div>'

    def pages(self) -> str:
        if not self.framework.pages:
            return ""
        items = "".join(
            self.framework.page.format(
                text=text, active="active is-current uk-active btn-active" if text == "2" else ""
            )
            for text in ("«", "1", "2", "3", "4", "»")
        )
        return self.framework.pages.format(items=items)

    def prose(self) -> str:
        """Return a paragraph with links."""
        sentences = []
        for _ in range(self.dice.randint(2, 5)):
            words = self.words.sentence().split()
            if len(words) > 3 and self.chance(0.35):
                start = self.dice.randrange(len(words) - 2)
                end = start + self.dice.randint(1, 3)
                words[start:end] = [self.link(" ".join(words[start:end]))]
            sentences.append(" ".join(words))
        return f"<p>{' '.join(sentences)}</p>"

    def link(self, text: str) -> str:
        """Return a link in a text, in the style of the framework."""
        return f'<a href="#" class="{self.framework.of("text")}">{text}</a>'

    def badge(self, text: str = "") -> str:
        return f'<span class="{self.framework.of("badge")}">{html.escape(text or self.words.noun())}</span>'

    def alert(self) -> str:
        return f'<div class="{self.framework.of("alert")}">{html.escape(self.words.sentence())}</div>'

    def card(self, content: str) -> str:
        tag = "article" if self.framework.name == "pico" else "div"
        return f'<{tag} class="{self.framework.of("card")} g-card">{content}</{tag}>'

    def photo(self, width: int, height: int) -> str:
        """Return a picture like a photo: soft shapes, noise, no straight edges."""
        if len(self._photos) < 4:
            self._photos.append(_photo(np.random.default_rng(self.dice.randrange(1 << 30))))
        source = self.dice.choice(self._photos)
        return f'<img src="data:image/jpeg;base64,{source}" style="width:{width}px;height:{height}px;object-fit:cover">'

    def avatar(self) -> str:
        if self.chance(0.5):
            return self.photo(36, 36).replace("object-fit", "border-radius:50%;object-fit")
        return f'<span style="display:inline-block;width:34px;height:34px;border-radius:50%;background:#8892;text-align:center;line-height:34px">{self.words.name()[0]}</span>'

    def _id(self) -> str:
        return f"g{next(self._numbers)}"


def _photo(noise: np.random.Generator) -> str:
    canvas = np.zeros((120, 160, 3), np.float32) + noise.uniform(60, 200, 3)
    y, x = np.mgrid[:120, :160]
    canvas += (y / 120)[..., None] * noise.uniform(-90, 90, 3)
    for _ in range(noise.integers(4, 12)):
        centre, radii = noise.uniform((0, 0), (120, 160)), noise.uniform(8, 45, 2)
        inside = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1
        canvas[inside] = canvas[inside] * 0.3 + noise.uniform(0, 255, 3) * 0.7
    canvas += noise.normal(0, 9, canvas.shape)
    picture = PIL.Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).filter(PIL.ImageFilter.GaussianBlur(1))
    buffer = BytesIO()
    picture.resize((480, 360)).save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode()
