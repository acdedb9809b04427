# ruff: noqa: E501 - HTML, CSS and words
"""CSS frameworks from npm: their files, and the classes of each kind of part. Training and measurement use different
frameworks."""

import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NPM_VERSIONS = {
    "bootstrap": "5.3.8",
    "bulma": "1.0.4",
    "@picocss/pico": "2.1.1",
    "daisyui": "5.8.1",
    "uikit": "3.25.25",
    "spectre.css": "0.5.9",
    "milligram": "1.4.1",
    "foundation-sites": "6.9.0",
    "@primer/css": "22.3.2",
    "water.css": "2.1.1",
    "purecss": "3.1.0",
    "bootstrap-icons": "1.13.2",
    "feather-icons": "4.29.2",
    "lucide-static": "1.62.0",
    "@fontsource/roboto": "5.3.0",
    "@fontsource/open-sans": "5.3.0",
    "@fontsource/nunito": "5.3.0",
    "@fontsource/inter": "5.3.0",
    "@fontsource/ibm-plex-sans": "5.3.0",
    "@fontsource/noto-sans-sc": "5.3.0",
}

CHECK = '<div><label><input type="{kind}" {attributes}> {text}</label></div>'


@dataclass(frozen=True, slots=True)
class Framework:
    name: str
    styles: tuple[str, ...]
    """Style sheets, below node_modules."""
    dark: str | None = None
    """Attribute of the root element for the dark theme; None without a dark theme."""
    light: str = ""
    dark_styles: tuple[str, ...] = ()
    """Style sheets of the dark theme, in place of `styles`."""
    classes: Mapping[str, str] = field(default_factory=dict)
    check: str = CHECK
    switch: str = ""
    """HTML of a switch; empty if the framework has none."""
    select: str = "<select {attributes}>{options}</select>"
    tabs: str = ""
    tab: str = ""
    nav: str = ""
    nav_item: str = '<a href="#" class="{classes}">{text}</a>'
    menu: str = ""
    menu_item: str = ""
    pages: str = ""
    page: str = ""
    extra: str = ""
    """Additional CSS."""

    def of(self, part: str) -> str:
        return self.classes.get(part, "")


BOOTSTRAP = Framework(
    "bootstrap",
    ("bootstrap/dist/css/bootstrap.min.css",),
    dark='data-bs-theme="dark"',
    classes={
        "primary": "btn btn-primary", "secondary": "btn btn-secondary", "outline": "btn btn-outline-primary",
        "ghost": "btn btn-link", "danger": "btn btn-danger", "small": "btn btn-light btn-sm", "icon": "btn btn-outline-secondary",
        "input": "form-control", "textarea": "form-control", "select": "form-select", "slider": "form-range",
        "label": "form-label", "card": "card card-body", "table": "table table-striped", "badge": "badge text-bg-secondary",
        "bar": "navbar navbar-expand bg-body-tertiary px-3", "alert": "alert alert-info", "nav": "nav-link", "side": "nav-link",
    },
    check='<div class="form-check"><input class="form-check-input" type="{kind}" id="{id}" {attributes}> <label class="form-check-label" for="{id}">{text}</label></div>',
    switch='<div class="form-check form-switch"><input class="form-check-input" type="checkbox" role="switch" id="{id}" {attributes}> <label class="form-check-label" for="{id}">{text}</label></div>',
    tabs='<ul class="nav {variant}" role="tablist">{items}</ul>',
    tab='<li class="nav-item" role="presentation"><button class="nav-link {active}" role="tab">{text}</button></li>',
    nav='<div class="navbar-nav">{items}</div>',
    menu='<div class="dropdown-menu show" style="position:static" role="menu">{items}</div>',
    menu_item='<a class="dropdown-item" role="menuitem" href="#">{text}</a>',
    pages='<ul class="pagination">{items}</ul>',
    page='<li class="page-item {active}"><a class="page-link" href="#">{text}</a></li>',
)  # fmt: skip

BULMA = Framework(
    "bulma",
    ("bulma/css/bulma.min.css",),
    dark='data-theme="dark"',
    light='data-theme="light"',
    classes={
        "primary": "button is-primary", "secondary": "button", "outline": "button is-link is-outlined",
        "ghost": "button is-ghost", "danger": "button is-danger", "small": "button is-small", "icon": "button",
        "input": "input", "textarea": "textarea", "label": "label", "card": "box", "table": "table is-striped is-fullwidth",
        "badge": "tag is-info", "bar": "navbar px-3", "alert": "notification is-info is-light", "nav": "navbar-item", "side": "",
    },
    check='<div class="control"><label class="{kind}"><input type="{kind}" {attributes}> {text}</label></div>',
    select='<div class="select"><select {attributes}>{options}</select></div>',
    tabs='<div class="tabs {variant}"><ul role="tablist">{items}</ul></div>',
    tab='<li class="{active}" role="presentation"><a role="tab" href="#">{text}</a></li>',
    menu='<div class="dropdown is-active"><div class="dropdown-menu" style="position:static"><div class="dropdown-content" role="menu">{items}</div></div></div>',
    menu_item='<a class="dropdown-item" role="menuitem" href="#">{text}</a>',
    pages='<nav class="pagination"><ul class="pagination-list">{items}</ul></nav>',
    page='<li><a class="pagination-link {active}" href="#">{text}</a></li>',
)  # fmt: skip

PICO = Framework(
    "pico",
    ("@picocss/pico/css/pico.min.css",),
    dark='data-theme="dark"',
    light='data-theme="light"',
    classes={"secondary": "secondary", "outline": "outline", "danger": "contrast", "small": "secondary outline", "icon": "outline",
             "ghost": "outline secondary", "table": "striped"},
    switch='<label><input type="checkbox" role="switch" {attributes}> {text}</label>',
    nav="<nav><ul>{items}</ul></nav>",
    nav_item='<li><a href="#">{text}</a></li>',
    extra="button{width:auto} .g-form input:not([type=checkbox],[type=radio]),.g-form select,.g-form textarea{margin-bottom:.5rem}",
)  # fmt: skip

DAISY = Framework(
    "daisyui",
    ("daisyui/daisyui.css", "daisyui/themes.css"),
    dark='data-theme="{night}"',
    light='data-theme="{day}"',
    classes={
        "primary": "btn btn-primary", "secondary": "btn", "outline": "btn btn-outline", "ghost": "btn btn-ghost",
        "danger": "btn btn-error", "small": "btn btn-sm btn-soft", "icon": "btn btn-square", "input": "input", "textarea": "textarea",
        "select": "select", "slider": "range", "label": "label", "card": "card card-border card-body", "table": "table table-zebra",
        "badge": "badge badge-primary", "bar": "navbar", "alert": "alert alert-info", "nav": "link link-hover", "text": "link", "side": "",
        "checkbox": "checkbox", "radio": "radio",
    },
    check='<label class="label"><input type="{kind}" class="{kind}" {attributes}> {text}</label><br>',
    switch='<label class="label"><input type="checkbox" role="switch" class="toggle" {attributes}> {text}</label><br>',
    tabs='<div role="tablist" class="tabs {variant}">{items}</div>',
    tab='<a role="tab" href="#" class="tab {active}">{text}</a>',
    menu='<ul class="menu" role="menu">{items}</ul>',
    menu_item='<li role="none"><a role="menuitem" href="#">{text}</a></li>',
    pages='<div class="join">{items}</div>',
    page='<button class="join-item btn {active}">{text}</button>',
    extra="body{background:var(--color-base-200)}.card,.menu{background:var(--color-base-100)}.menu{border-radius:8px}",
)  # fmt: skip

UIKIT = Framework(
    "uikit",
    ("uikit/dist/css/uikit.min.css",),
    classes={
        "primary": "uk-button uk-button-primary", "secondary": "uk-button uk-button-secondary", "outline": "uk-button uk-button-default",
        "ghost": "uk-button uk-button-text", "danger": "uk-button uk-button-danger", "small": "uk-button uk-button-default uk-button-small",
        "icon": "uk-icon-button", "input": "uk-input", "textarea": "uk-textarea", "select": "uk-select", "slider": "uk-range",
        "label": "uk-form-label", "card": "uk-card uk-card-default uk-card-body", "table": "uk-table uk-table-divider", "badge": "uk-badge",
        "bar": "uk-navbar-container uk-padding-small", "alert": "uk-alert uk-alert-primary", "nav": "uk-link-text", "side": "uk-link-muted",
    },
    check='<div><label><input class="uk-{kind}" type="{kind}" {attributes}> {text}</label></div>',
    tabs='<ul class="uk-tab" role="tablist">{items}</ul>',
    tab='<li class="{active}" role="presentation"><a href="#" role="tab">{text}</a></li>',
    pages='<ul class="uk-pagination">{items}</ul>',
    page='<li class="{active}"><a href="#">{text}</a></li>',
    extra="html{background:#f6f6f6}",
)  # fmt: skip

SPECTRE = Framework(
    "spectre",
    ("spectre.css/dist/spectre.min.css", "spectre.css/dist/spectre-exp.min.css"),
    classes={
        "primary": "btn btn-primary", "secondary": "btn", "outline": "btn", "ghost": "btn btn-link", "danger": "btn btn-error",
        "small": "btn btn-sm", "icon": "btn btn-action", "input": "form-input", "textarea": "form-input", "select": "form-select",
        "slider": "slider", "label": "form-label", "card": "card p-2", "table": "table", "badge": "chip",
        "bar": "navbar p-2 bg-gray", "alert": "toast", "nav": "btn btn-link", "side": "",
    },
    check='<label class="form-{kind}"><input type="{kind}" data-stand="{id}" {attributes}><i class="form-icon" id="{id}"></i> {text}</label>',
    switch='<label class="form-switch"><input type="checkbox" role="switch" data-stand="{id}" {attributes}><i class="form-icon" id="{id}"></i> {text}</label>',
    tabs='<ul class="tab" role="tablist">{items}</ul>',
    tab='<li class="tab-item {active}" role="presentation"><a href="#" role="tab">{text}</a></li>',
    menu='<ul class="menu" role="menu">{items}</ul>',
    menu_item='<li class="menu-item" role="none"><a href="#" role="menuitem">{text}</a></li>',
    pages='<ul class="pagination">{items}</ul>',
    page='<li class="page-item {active}"><a href="#">{text}</a></li>',
)  # fmt: skip

FOUNDATION = Framework(
    "foundation",
    ("foundation-sites/dist/css/foundation.min.css",),
    classes={
        "primary": "button", "secondary": "button secondary", "outline": "button hollow", "ghost": "button clear", "danger": "button alert",
        "small": "button tiny", "icon": "button small secondary", "card": "card card-section", "badge": "label secondary",
        "bar": "top-bar", "alert": "callout primary",
    },
    check='<div><input type="{kind}" id="{id}" {attributes}><label for="{id}">{text}</label></div>',
    switch='<div class="switch"><input class="switch-input" type="checkbox" role="switch" id="{id}" data-stand="{id}p" {attributes}><label class="switch-paddle" id="{id}p" for="{id}"></label></div>',
    tabs='<ul class="tabs" role="tablist">{items}</ul>',
    tab='<li class="tabs-title {active}" role="presentation"><a href="#" role="tab">{text}</a></li>',
    menu='<ul class="vertical menu" role="menu">{items}</ul>',
    menu_item='<li role="none"><a href="#" role="menuitem">{text}</a></li>',
    pages='<ul class="pagination">{items}</ul>',
    page='<li class="{active}"><a href="#">{text}</a></li>',
)  # fmt: skip

PRIMER = Framework(
    "primer",
    ("@primer/css/dist/primer.css",),
    dark='data-color-mode="dark" data-dark-theme="dark"',
    light='data-color-mode="light" data-light-theme="light"',
    classes={
        "primary": "btn btn-primary", "secondary": "btn", "outline": "btn btn-outline", "ghost": "btn-link", "danger": "btn btn-danger",
        "small": "btn btn-sm", "icon": "btn-octicon", "input": "form-control", "textarea": "form-control", "select": "form-select",
        "card": "Box p-3", "badge": "Label", "bar": "Header", "alert": "flash", "nav": "Header-link", "side": "",
    },
    tabs='<div class="tabnav"><nav class="tabnav-tabs" role="tablist">{items}</nav></div>',
    tab='<a class="tabnav-tab" href="#" role="tab" {selected}>{text}</a>',
    pages='<div class="pagination">{items}</div>',
    page='<a href="#">{text}</a>',
    extra="body{background:var(--bgColor-default,#fff);color:var(--fgColor-default,#222)}",
)  # fmt: skip

WATER = Framework(
    "water",
    ("water.css/out/light.css",),
    dark="",
    dark_styles=("water.css/out/dark.css",),
    extra="body{max-width:none}",
)
MILLIGRAM = Framework(
    "milligram",
    ("milligram/dist/milligram.min.css",),
    classes={
        "outline": "button button-outline",
        "ghost": "button button-clear",
        "small": "button button-outline",
        "secondary": "button",
    },
)
PURE = Framework(
    "pure",
    ("purecss/build/pure-min.css",),
    classes={
        "primary": "pure-button pure-button-primary", "secondary": "pure-button", "outline": "pure-button", "small": "pure-button",
        "danger": "pure-button", "table": "pure-table", "form": "pure-form pure-form-stacked", "icon": "pure-button",
    },
    menu='<ul class="pure-menu-list" role="menu">{items}</ul>',
    menu_item='<li class="pure-menu-item" role="none"><a href="#" role="menuitem" class="pure-menu-link">{text}</a></li>',
)  # fmt: skip

MEASURED = (BOOTSTRAP, BULMA, PICO, DAISY)
TRAINED = (UIKIT, SPECTRE, FOUNDATION, PRIMER, WATER, MILLIGRAM, PURE)


def own_framework(dice: random.Random) -> Framework:
    """Return a random style unlike any framework's: flat or outlined, round or square, light or dark."""
    dark = dice.random() < 0.45
    hue, other = dice.randrange(360), dice.randrange(360)
    tint = dice.choice((0, 0, 6, 14))

    def grey(lightness: float) -> str:
        return f"hsl({hue} {tint}% {lightness}%)"

    page = dice.choice((4, 8, 13, 18)) if dark else dice.choice((100, 98, 96, 92))
    step = dice.choice((3, 5, 8)) * (1 if dark else -1)
    card = page + step if dark else min(100, page + dice.choice((0, 2, 4)))
    ink, faint = (92, 62) if dark else (12, 42)
    accent = (
        f"hsl({other} {dice.choice((45, 70, 90))}% {dice.choice((50, 60, 66)) if dark else dice.choice((30, 40, 48))}%)"
    )
    on_accent = "#fff" if dice.random() < 0.8 else "#111"
    radius = dice.choice((0, 2, 4, 6, 10, 20))
    edge = grey(page + (dice.choice((12, 20, 34)) if dark else -dice.choice((10, 18, 34, 55))))
    field_fill = dice.choice((grey(card), grey(page), grey(card + (6 if dark else -5))))
    field_edge = dice.choice((f"1px solid {edge}", f"1px solid {edge}", f"2px solid {edge}", "0 solid transparent"))
    if field_edge.startswith("0"):
        field_fill = grey(card + (10 if dark else -7))
    pad = dice.choice(("3px 8px", "6px 12px", "8px 16px", "10px 22px", "12px 28px"))
    field_pad = dice.choice(("3px 6px", "6px 10px", "9px 12px", "12px 16px"))
    tall = dice.choice((14, 15, 16, 17, 18))
    family = dice.choice(("Roboto", "Open Sans", "Nunito", "DejaVu Sans", "DejaVu Serif", "Roboto", "Open Sans"))
    box, _ = dice.choice((13, 16, 18, 20, 24)), dice.choice((12, 16, 20))
    shadow = dice.choice(("none", "none", "0 1px 3px rgba(0,0,0,.25)", "0 2px 8px rgba(0,0,0,.18)"))
    native = dice.random() < 0.3
    line, link = dice.choice(("underline", "none", "none")), accent
    if hue % 4 == 0:
        line, link = "underline", "inherit"
    knob = dice.choice((14, 18, 22))
    track_width, gap = round(knob * dice.choice((1.8, 2.0, 2.3))), dice.choice((2, 3))
    tab_kind = dice.choice(("line", "box", "pill"))
    mark = f"""
    input[type=checkbox]:not(.sw),input[type=radio]{{appearance:none;width:{box}px;height:{box}px;border:{dice.choice((1, 2))}px solid {edge};
      background:{field_fill};border-radius:{min(radius, 6)}px;vertical-align:middle;margin:2px 6px 2px 2px;padding:0;display:inline-block}}
    input[type=radio]{{border-radius:50%!important}}
    input[type=checkbox]:checked:not(.sw){{background:{accent} url("data:image/svg+xml,%3csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3e%3cpath d='M3 8l4 4 6-8' fill='none' stroke='white' stroke-width='2'/%3e%3c/svg%3e");border-color:{accent}}}
    input[type=radio]:checked{{border:{max(3, box // 3)}px solid {accent};background:#fff}}
    """
    css = f"""
    html{{background:{grey(page)};color:{grey(ink)};font:{tall}px/1.5 '{family}','Noto Sans SC',sans-serif;color-scheme:{"dark" if dark else "light"}}}
    body{{margin:0;background:{grey(page)}}}
    a{{color:{link};text-decoration:{line}}} .quiet{{color:{grey(faint)};text-decoration:none}} .plain{{color:inherit;text-decoration:none}}
    button,.b{{font:inherit;padding:{pad};border-radius:{radius}px;border:1px solid transparent;cursor:pointer;background:{grey(card + (12 if dark else -10))};color:{grey(ink)};display:inline-block;text-decoration:none}}
    .p{{background:{accent};color:{on_accent};box-shadow:{shadow}}} .o{{background:transparent;border:{dice.choice((1, 2))}px solid {accent};color:{accent}}}
    .gh{{background:transparent;color:{accent}}} .d{{background:hsl(0 70% 50%);color:#fff}} .s{{padding:2px 8px;font-size:.85em}}
    .ic{{padding:6px;line-height:0;{dice.choice(("background:transparent", "", f"border:1px solid {edge};background:transparent"))}}}
    input:not([type=checkbox],[type=radio],[type=range]),textarea,select{{font:inherit;padding:{field_pad};border-radius:{min(radius, 12)}px;border:{field_edge};background:{field_fill};color:{grey(ink)};box-sizing:border-box;width:100%}}
    ::placeholder{{color:{grey(faint)}}}
    {"" if native else mark}
    .sw{{appearance:none;width:{track_width}px;height:{knob + 2 * gap}px;border-radius:99px;background:{grey(page + (30 if dark else -28))};position:relative;vertical-align:middle;margin:2px 8px 2px 0;display:inline-block}}
    .sw::before{{content:'';position:absolute;left:{gap}px;top:{gap}px;width:{knob}px;height:{knob}px;border-radius:50%;background:#fff}}
    .sw:checked{{background:{accent}}} .sw:checked::before{{left:{track_width - knob - gap}px}}
    input[type=range]{{accent-color:{accent};width:100%}}
    .card{{background:{grey(card)};border:{dice.choice(("0", "1px"))} solid {edge};border-radius:{radius}px;padding:16px;box-shadow:{shadow}}}
    .bar{{background:{dice.choice((grey(card), accent, grey(page)))};padding:10px 16px;border-bottom:1px solid {edge}}}
    table{{border-collapse:collapse;width:100%}} th,td{{border-bottom:1px solid {edge};padding:{dice.choice(("3px 8px", "8px 12px"))};text-align:left}}
    .badge{{background:{grey(card + (14 if dark else -12))};border-radius:99px;padding:1px 8px;font-size:.8em}}
    .alert{{background:{grey(card + (8 if dark else -6))};border-left:4px solid {accent};padding:10px 14px}}
    .tabs{{display:flex;gap:{dice.choice((0, 4, 10))}px;border-bottom:{"1px solid " + edge if tab_kind != "pill" else "0"}}}
    .tab{{padding:8px 14px;color:{grey(faint)};text-decoration:none;background:none;border:0;border-radius:{radius if tab_kind == "pill" else 0}px}}
    .tab.active{{color:{accent if tab_kind == "line" else grey(ink)};{ {"line": f"border-bottom:2px solid {accent}", "box": f"border:1px solid {edge};border-bottom:0", "pill": f"background:{grey(card + (14 if dark else -10))}"}[tab_kind] }}}
    .menu{{background:{grey(card)};border:1px solid {edge};border-radius:{radius}px;padding:6px 0;box-shadow:{shadow}}}
    .menu a{{display:block;padding:6px 14px;color:{grey(ink)};text-decoration:none}}
    .side{{display:block;padding:7px 10px;color:{grey(ink)};text-decoration:none;border-radius:{radius}px}} .side.active{{background:{grey(card + (10 if dark else -8))}}}
    """
    return Framework(
        "own",
        (),
        dark="" if dark else None,
        classes={
            "primary": "p", "secondary": "", "outline": "o", "ghost": "gh", "danger": "d", "small": "s", "icon": "ic", "card": "card",
            "bar": "bar", "badge": "badge", "alert": "alert", "nav": dice.choice(("plain", "quiet", "")), "side": "side",
        },
        switch='<div><label><input type="checkbox" role="switch" class="sw" {attributes}> {text}</label></div>',
        tabs='<div class="tabs" role="tablist">{items}</div>',
        tab='<a class="tab {active}" role="tab" href="#">{text}</a>',
        menu='<div class="menu" role="menu">{items}</div>',
        menu_item='<a role="menuitem" href="#">{text}</a>',
        extra=css,
    )  # fmt: skip


def fetched(folder: Path) -> Path:
    """Return `node_modules` below `folder`, with all of NPM_VERSIONS. The first call needs npm and its registry."""
    modules = folder / "node_modules"
    missing = [name for name in NPM_VERSIONS if not (modules / name / "package.json").is_file()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}@{version}" for name, version in NPM_VERSIONS.items()]
        subprocess.run(
            ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *wanted],
            check=True,
            capture_output=True,
        )
    return modules
