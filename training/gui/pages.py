# ruff: noqa: E501 - HTML, CSS and words
"""Random pages: equal seeds give equal pages."""

import html
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from training.gui.browser import Screen
from training.gui.components import Parts
from training.gui.frameworks import MEASURED, TRAINED, Framework, own_framework
from training.gui.words import LANGUAGES, Words

_FONTS = ("roboto", "open-sans", "nunito", "inter", "ibm-plex-sans", "noto-sans-sc")
_LAYOUT = """
.g-row{display:flex;flex-wrap:wrap;gap:var(--gap);align-items:center}.g-wide{gap:calc(var(--gap)*2)}
.g-bar{display:flex;gap:20px;align-items:center}.g-main{padding:var(--pad);max-width:var(--max);margin:0 auto}
.g-grid{display:grid;grid-template-columns:repeat(var(--columns),1fr);gap:calc(var(--gap)*1.5)}.g-card{margin-bottom:var(--gap)}
.g-field{margin-bottom:calc(var(--gap)*.9);flex:1;min-width:140px}.g-split{display:flex;gap:24px}.g-side{width:200px;flex:none;padding:12px}
.g-line{display:flex;align-items:center;gap:12px;padding:9px 12px;border-bottom:1px solid rgba(128,128,128,.25)}
.g-line>.g-end{margin-left:auto}.g-bubble{max-width:60%;padding:8px 12px;border-radius:12px;background:rgba(128,128,128,.16);margin:6px 0}
.g-mine{margin-left:auto}html{margin:0}body{margin:0;padding:0;max-width:none}*{animation:none!important;transition:none!important}
svg{display:inline-block}
"""
_BARE = ("login", "listing", "chat")
"""Kinds of pages without a navigation bar."""
DESKTOP = ((1280, 800, 1.0), (1440, 900, 1.0), (1024, 768, 1.0), (1280, 800, 1.5), (1280, 800, 2.0))
MOBILE = ((390, 844, 2.0), (390, 844, 3.0), (412, 915, 1.0), (768, 1024, 1.0))


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    html: str
    screen: Screen
    framework: str
    dark: bool
    language: str
    jpeg: int | None = None
    """Quality of the picture's compression; None for lossless."""


def login(parts: Parts, narrow: bool) -> str:
    words = parts.words
    fields = "".join(parts.labelled(parts.input()) for _ in range(parts.dice.randint(2, 3)))
    others = "".join(parts.button("outline", icon=0.7) for _ in range(parts.dice.randint(0, 2)))
    content = (
        f"<h2>{words.action()}</h2>{fields}{parts.check('checkbox')}<p>{parts.button('primary')}</p>"
        f'<div class="g-row">{others}</div><p>{words.sentence()} {parts.link(words.action())}</p>'
    )
    return f'<div class="g-main g-form" style="--max:{320 if narrow else parts.dice.choice((380, 460))}px">{parts.card(content)}</div>'


def form(parts: Parts, narrow: bool) -> str:
    makers: list[Callable[[], str]] = [
        lambda: parts.labelled(parts.input()),
        lambda: parts.labelled(parts.input()),
        lambda: parts.labelled(parts.select()),
        lambda: parts.labelled(parts.textarea()),
        lambda: parts.labelled(parts.slider()),
        lambda: "".join(parts.check("checkbox") for _ in range(3)),
        lambda: "".join(parts.check("radio", parts.words.noun()) for _ in range(3)),
        lambda: f'<div class="g-row">{"".join(parts.check("radio", parts.words.noun()) for _ in range(3))}</div>',
        lambda: parts.switch(),
    ]
    cells = "".join(f"<div>{parts.dice.choice(makers)()}</div>" for _ in range(parts.dice.randint(5, 10)))
    columns = 1 if narrow else parts.dice.choice((1, 2, 2, 3))
    return (
        f'<div class="g-main g-form"><h1>{parts.words.noun()}</h1>{parts.prose()}'
        f'<div class="g-grid" style="--columns:{columns}">{cells}</div>'
        f'<div class="g-row">{parts.button("primary")}{parts.button("secondary")}{parts.button("ghost")}</div></div>'
    )


def settings(parts: Parts, narrow: bool) -> str:
    rows = []
    for _ in range(parts.dice.randint(5, 9)):
        end = parts.dice.choice(
            (parts.switch, parts.select, lambda: parts.button("small"), parts.slider, parts.switch)
        )()
        rows.append(
            f'<div class="g-line"><div><strong>{parts.words.noun()}</strong><br><small>{parts.words.sentence()}</small></div>'
            f'<div class="g-end" style="min-width:{110 if narrow else 170}px">{end}</div></div>'
        )
    body = f"<h2>{parts.words.noun()}</h2>{parts.tabs()}{parts.card(''.join(rows))}{parts.button('primary')}"
    side = "" if narrow else parts.side(parts.dice.randint(5, 8))
    return f'<div class="g-split">{side}<div class="g-main" style="flex:1">{body}</div></div>'


def shop(parts: Parts, narrow: bool) -> str:
    def product() -> str:
        rating = "★★★★☆" if parts.chance(0.3) else parts.badge()
        buy = parts.button("primary", icon=0.4) + (parts.icon_button() if parts.chance(0.5) else "")
        return parts.card(
            f"{parts.photo(150 if narrow else 200, 120)}<h4>{parts.words.thing()}</h4><div>{parts.words.price()} {rating}</div>"
            f'<div class="g-row">{buy}</div>'
        )

    filters = "".join(parts.check("checkbox", parts.words.noun()) for _ in range(4)) + parts.labelled(parts.slider())
    grid = "".join(product() for _ in range(parts.dice.randint(3, 6)))
    columns = parts.dice.choice((1, 2)) if narrow else parts.dice.choice((3, 4))
    side = "" if narrow else f'<div class="g-side">{filters}</div>'
    tools = f'<div class="g-row">{parts.select()}{parts.button("secondary")}{parts.tabs() if parts.chance(0.4) else ""}</div>'
    return (
        f'<div class="g-split">{side}<div class="g-main" style="flex:1">{tools}'
        f'<div class="g-grid" style="--columns:{columns}">{grid}</div>{parts.pages()}</div></div>'
    )


def dashboard(parts: Parts, narrow: bool) -> str:
    def chart() -> str:
        bars = "".join(
            f'<rect x="{place * 26 + 4}" y="{100 - tall}" width="18" height="{tall}" fill="#5b8def"/>'
            for place, tall in enumerate(parts.dice.choices(range(10, 95), k=9))
        )
        return f'<svg width="240" height="104">{bars}<line x1="0" y1="101" x2="240" y2="101" stroke="#999"/></svg>'

    numbers = "".join(
        parts.card(f"<small>{parts.words.noun()}</small><h3>{parts.words.number()}</h3>{parts.badge('+4 %')}")
        for _ in range(4)
    )
    bottom = "".join(
        parts.card(
            f'<div class="g-row"><strong>{parts.words.noun()}</strong>{parts.icon_button()}{parts.button("small")}</div>{chart()}'
        )
        for _ in range(2)
    )
    side = "" if narrow else parts.side(parts.dice.randint(6, 9))
    return (
        f'<div class="g-split">{side}<div class="g-main" style="flex:1"><div class="g-row">{parts.tabs()}{parts.button()}'
        f'{parts.button()}</div><div class="g-grid" style="--columns:{2 if narrow else 4}">{numbers}</div>'
        f'<div class="g-grid" style="--columns:{1 if narrow else 2}">{bottom}</div></div></div>'
    )


def table(parts: Parts, narrow: bool) -> str:
    columns = 2 if narrow else parts.dice.randint(3, 6)
    picks, acts = parts.chance(0.5), parts.dice.choice(("icons", "buttons", "links", "none"))
    head = "".join(f"<th>{parts.words.noun()}</th>" for _ in range(columns))
    box = '<td><input type="checkbox" {} class="{}"></td>'
    kind = "form-check-input" if parts.framework.name == "bootstrap" else parts.framework.of("checkbox")

    def pick() -> str:
        return box.format("checked" if parts.chance(0.4) else "", kind) if picks else ""

    def cell() -> str:
        words = parts.words
        return html.escape(
            parts.dice.choice((words.name, words.number, words.date, words.price, words.noun, words.thing))()
        )

    def end() -> str:
        if acts == "icons":
            return parts.icon_button() + parts.icon_button()
        if acts == "buttons":
            return parts.button("small", icon=0)
        return parts.link(parts.words.action()) if acts == "links" else ""

    rows = "".join(
        f"<tr>{pick()}{''.join(f'<td>{cell()}</td>' for _ in range(columns))}<td>{end()}</td></tr>"
        for _ in range(parts.dice.randint(6, 14))
    )
    search = f'<span style="width:220px">{parts.input(filled=0.1)}</span>'
    return (
        f'<div class="g-main"><h2>{parts.words.noun()}</h2><div class="g-row">{search}{parts.select()}{parts.button()}'
        f'{parts.button("primary")}</div><table class="{parts.framework.of("table")}"><thead><tr>{"<th></th>" if picks else ""}'
        f"{head}<th></th></tr></thead><tbody>{rows}</tbody></table>{parts.pages()}</div>"
    )


def chat(parts: Parts, narrow: bool) -> str:
    people = "".join(
        f'<a href="#" class="g-line plain" style="color:inherit;text-decoration:none">{parts.avatar()}<span>{parts.words.name()}'
        f"<br><small>{parts.words.sentence()[:24]}…</small></span></a>"
        for _ in range(4)
    )
    bubbles = "".join(
        f'<div class="g-bubble {"g-mine" if parts.chance(0.5) else ""}">{parts.words.sentence()}</div>'
        for _ in range(parts.dice.randint(4, 8))
    )
    send = (
        f'<div class="g-row" style="flex-wrap:nowrap">{parts.icon_button()}<span style="flex:1">{parts.input(filled=0.1)}</span>'
        f"{parts.icon_button()}{parts.button('primary')}</div>"
    )
    side = "" if narrow else f'<div class="g-side" style="width:260px">{parts.input(filled=0)}{people}</div>'
    top = f'<div class="g-line">{parts.avatar()}<strong>{parts.words.name()}</strong><span class="g-end g-row">{parts.icon_button()}{parts.icon_button()}</span></div>'
    return f'<div class="g-split">{side}<div class="g-main" style="flex:1">{top}{bubbles}{send}</div></div>'


def article(parts: Parts, narrow: bool) -> str:
    crumbs = " / ".join(parts.link(word) for word in parts.words.nouns(3))
    sections = "".join(
        f"<h3>{parts.words.noun()}</h3>{parts.prose()}{parts.prose()}" for _ in range(parts.dice.randint(2, 3))
    )
    foot = "".join(f'<a href="#" class="quiet">{word}</a>' for word in parts.words.nouns(5))
    return (
        f'<div class="g-main" style="--max:{360 if narrow else 820}px"><p>{crumbs}</p><h1>{parts.words.thing()}</h1>{parts.alert()}'
        f"{parts.photo(300 if narrow else 480, 200)}{sections}<p>{parts.button()}</p>"
        f'<div class="g-row g-wide"><small class="g-row g-wide">{foot}</small></div></div>'
    )


def listing(parts: Parts, narrow: bool) -> str:
    ends: list[Callable[[], str]] = [
        lambda: parts.icon(16),
        parts.icon_button,
        parts.switch,
        lambda: parts.button("small", icon=0),
        lambda: parts.check("checkbox", " "),
    ]
    starts: list[Callable[[], str]] = [parts.icon, parts.avatar, str]

    def row() -> str:
        end, start = parts.dice.choice(ends), parts.dice.choice(starts)
        return f'<div class="g-line">{start()}<span>{parts.words.noun()}<br><small>{parts.words.date()}</small></span><span class="g-end">{end()}</span></div>'

    count = parts.dice.randint(6, 10)
    same = random.Random(parts.dice.random()).random() >= 0.9
    rows = row() * 6 if same else "".join(row() for _ in range(count))
    bottom = "".join(
        f'<a href="#" class="plain" style="text-align:center;flex:1;color:inherit;text-decoration:none">{parts.icon(22)}<br><small>{word}</small></a>'
        for word in parts.words.nouns(4)
    )
    return (
        f'<div class="g-main" style="--max:{420 if narrow else 700}px"><div class="g-line">{parts.icon_button()}<strong>{parts.words.noun()}</strong>'
        f'<span class="g-end">{parts.icon_button()}</span></div>{parts.input(filled=0.2)}{rows}<div class="g-row" style="padding:10px 0">{bottom}</div></div>'
    )


def toolbox(parts: Parts, narrow: bool) -> str:
    icons = "".join(parts.icon_button() for _ in range(parts.dice.randint(5, 10)))
    menus = "".join(f"<div>{parts.menu()}</div>" for _ in range(1 if narrow else 2))
    groups = "".join(
        parts.card(f"{parts.labelled(parts.input())}{parts.labelled(parts.slider())}{parts.switch()}") for _ in range(2)
    )
    return (
        f'<div class="g-main"><div class="g-row">{icons}</div>{parts.tabs()}<div class="g-row" style="align-items:flex-start">{menus}'
        f'<div style="flex:1;min-width:220px">{groups}</div></div><div class="g-row">{"".join(parts.button() for _ in range(6))}</div></div>'
    )


KINDS: Mapping[str, Callable[[Parts, bool], str]] = {
    "login": login, "form": form, "settings": settings, "shop": shop, "dashboard": dashboard, "table": table, "chat": chat,
    "article": article, "listing": listing, "toolbox": toolbox,
}  # fmt: skip


def made(kind: str, framework: Framework, *, dark: bool, mobile: bool, language: str, seed: int, modules: Path) -> Page:
    """Return a page. `modules` is the folder that npm filled."""
    dice = random.Random(f"{kind} {framework.name} {seed}")
    measured = framework in MEASURED
    icons = modules / (
        dice.choice(("bootstrap-icons/icons", "feather-icons/dist/icons")) if measured else "lucide-static/icons"
    )
    parts = Parts(framework, Words(language, dice), dice, icons)
    body = KINDS[kind](parts, mobile)
    if not mobile and (kind not in _BARE or dice.random() < 0.3):
        body = parts.bar() + body
    attributes = (framework.dark or "") if dark else framework.light
    attributes = attributes.format(
        night=dice.choice(("dark", "night", "dracula", "dim")),
        day=dice.choice(("light", "cupcake", "corporate", "winter")),
    )
    styles = framework.dark_styles if dark and framework.dark_styles else framework.styles
    fonts = "".join(
        f'<link rel="stylesheet" href="{(modules / "@fontsource" / name / "400.css").as_uri()}">' for name in _FONTS
    )
    links = "".join(f'<link rel="stylesheet" href="{(modules / name).as_uri()}">' for name in styles)
    family = dice.choice(
        ("", "", "'Inter'", "'IBM Plex Sans'") if measured else ("", "'Roboto'", "'Open Sans'", "'Nunito'")
    )
    named = (
        ""
        if framework.name == "own"
        else f"body{{font-family:{family + ',' if family else ''}'Noto Sans SC',sans-serif}}"
        if family or language == "zh"
        else ""
    )
    sizes = f":root{{--gap:{dice.choice((6, 8, 12, 16))}px;--pad:{dice.choice((12, 20, 32))}px;--max:{dice.choice((900, 1100, 1300))}px;--columns:1}}"
    document = (
        f'<!doctype html><html lang="{language}" {attributes}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"{fonts}{links}<style>{sizes}{_LAYOUT}{framework.extra}{named}</style></head><body>{body}</body></html>"
    )
    width, height, scale = dice.choice(MOBILE if mobile else DESKTOP)
    name = (
        f"{framework.name}-{kind}-{'dark' if dark else 'light'}-{'mobile' if mobile else 'desktop'}-{language}-{seed}"
    )
    jpeg = dice.choice((70, 80, 90)) if dice.random() < 0.2 else None
    return Page(name, document, Screen(width, height, scale), framework.name, dark, language, jpeg)


def measuring_pages(modules: Path) -> list[Page]:
    """Return 80 pages in four frameworks: all kinds, light and dark, on desktops and phones."""
    pages = []
    for number, framework in enumerate(MEASURED):
        for place, kind in enumerate(KINDS):
            for dark in (False, True):
                mobile = (place + number + dark) % 2 == 0
                language = LANGUAGES[(place * 2 + number + dark) % len(LANGUAGES)] if place % 2 else "en"
                pages.append(
                    made(
                        kind,
                        framework,
                        dark=dark,
                        mobile=mobile,
                        language=language,
                        seed=9000 + number,
                        modules=modules,
                    )
                )
    return pages


def training_pages(modules: Path, count: int, first: int = 0) -> list[Page]:
    """Return pages in other frameworks, and in random styles."""
    pages = []
    for seed in range(first, first + count):
        dice = random.Random(seed)
        kind = list(KINDS)[seed % len(KINDS)]
        framework = own_framework(dice) if dice.random() < 0.6 else dice.choice(TRAINED)
        dark = framework.dark is not None and (framework.name == "own" or dice.random() < 0.5)
        language = dice.choice(("en", *LANGUAGES))
        pages.append(
            made(kind, framework, dark=dark, mobile=dice.random() < 0.4, language=language, seed=seed, modules=modules)
        )
    return pages
