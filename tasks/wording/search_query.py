"""What to search for, taken from what a user wrote: the words, the site, and how new it shall be."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from tasks.errors import InputError
from tasks.wording.freshness import Freshness, freshness_in

_MAX_READ = 2000
"""Characters of the text that are looked at: no question is longer, and a document behind it costs nothing."""
_MAX_CHARS = 340
_MAX_WORDS = 45
"""Brave refuses more than 400 characters or 50 words, a `site:` included."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    text: str
    """Not empty."""
    site: str | None = None
    """A host in lower case, without `www.`: it and those below it."""
    freshness: Freshness | None = None


def parse_query(text: str, today: date) -> SearchQuery:
    """Raises InputError where nothing is left to search for."""
    said = _paragraph(text)
    freshness = freshness_in(said, today)
    site, said = _site(said)
    words = _without_instruction(said).split()
    cut = " ".join(words[:_MAX_WORDS])[:_MAX_CHARS].strip() or site
    if not cut:
        raise InputError("task 'web_search' needs something to search for: write it in the text")
    return SearchQuery(cut, site, freshness)


def _paragraph(text: str) -> str:
    """The first: what follows it is mostly what the question is about."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.lstrip()[:_MAX_READ]))
    return next((paragraph for paragraph in paragraphs if paragraph), "")


_HOST = (
    r"(?:https?://)?(?P<{0}>(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}[a-z]{{2,24}})(?:/\S*)?(?![\w@.-]*\w)"
)
_SITE: Final = (
    re.compile(rf"\bsite:\s*{_HOST.format('site')}", re.IGNORECASE),
    re.compile(
        rf"(?:^|(?<=\s))(?:only |just )?(?:on|from|at|auf|bei|von|sur|de|en|su|em|op|van|на) (?:the (?:web)?site )?"
        rf"{_HOST.format('site')}",
        re.IGNORECASE,
    ),
    re.compile(rf"^(?:please )?(?:search|browse) {_HOST.format('site')} (?:for|about)\b", re.IGNORECASE),
    re.compile(rf"在\s*{_HOST.format('site')}\s*(?:上|中)?", re.IGNORECASE),
)
_NO_SITES: Final = frozenset({"asp.net", "vb.net", "ado.net", "socket.io", "draw.io", "next.js", "node.js", "vue.js"})
_FILE_ENDINGS: Final = frozenset(
    {"js", "ts", "py", "rs", "md", "sh", "pl", "cc", "so", "zip", "java", "txt", "pdf", "csv"}
)
"""Names such as `main.py` are taken for hosts only when they follow `site:`."""


def _site(text: str) -> tuple[str | None, str]:
    """The site that `text` names, and the text without it."""
    for pattern in _SITE:
        match = pattern.search(text)
        if match is None:
            continue
        host = match["site"].lower()
        if "site:" not in match[0].lower() and (host in _NO_SITES or host.rpartition(".")[2] in _FILE_ENDINGS):
            continue
        left = f"{text[: match.start()].rstrip()} {text[match.end() :].lstrip()}".strip()
        return host.removeprefix("www."), left
    return None, text


_INSTRUCTIONS: Final = re.compile(
    r"""^[\s"'“”«»,.:;!?¿¡–-]*(?:
    (?:please|bitte|por\ favor|per\ favore|s['’]il\ (?:te|vous)\ pla[iî]t|alsjeblieft|пожалуйста|请)
    |(?:can|could|would|will)\ you\b|i(?:['’]d|\ would)?\ (?:want|like)\ you\ to\b
    |(?:search|look|check|browse|scan)(?:\ (?:on|in|through|at|around))?\ (?:the\ )?(?:world\ wide\ )?
        (?:web|internet|net|online|google)\b(?:\ (?:for|about|on|and|to)\b)?(?:\ (?:find(?:\ out)?|tell\ me|see)\b)?
    |(?:do|run|perform|make)\ an?\ (?:(?:quick|web|google|internet|online)\ )*search\ (?:for|on|about)\b
    |(?:web|internet|google|online)\ search(?:\ for\b|:)
    |search(?:\ for|\ about|:)|look\ up|look\ for
    |google\ (?:for\b|(?=(?:the|what|who|how|when|where|why|whether|if)\b))
    |use\ the\ (?:internet|web)(?:\ search)?\ (?:to|and)\b(?:\ (?:check|find(?:\ out)?|see|tell\ me|look\ up)\b)?
    |(?:find|tell|show|give|get)\ me\b(?:\ about\b)?|find\ out\b|find(?=\ )
    |such(?:e|en)?(?:\ (?:mir|bitte|mal))*\ (?:im\ (?:internet|netz|web)|online)(?:\ nach)?\b|suche?\ nach\b
    |(?:recherchiere|google)\ (?:im\ (?:internet|netz|web)|online)(?:\ nach\b)?
    |(?:re)?cherche[rz]?(?:-moi)?\ (?:(?:sur|dans)\ (?:le\ web|l['’]internet|internet|google)|en\ ligne)
    |busc(?:a|ar|ame|ue)\ (?:en|por|na|no)\ (?:la\ )?(?:internet|web|red|google|línea)(?:\ por\b)?
    |cerca(?:mi)?\ (?:sul|su|in|nel)\ (?:web|internet|rete|google)
    |(?:pesquis[ae]r?|procur[ae]r?)\ (?:na|no|em)\ (?:internet|web|google|rede)(?:\ por\b)?
    |zoek(?:\ even|\ eens)?\ (?:op|in)\ (?:het\ )?(?:internet|web|google)(?:\ naar\b)?|zoek\ naar\b
    |(?:найди|поищи|ищи)(?:те)?(?:\ мне)?\ (?:в|по)\ (?:интернете|сети|гугле)
    |ابحث\ (?:في|على)\ (?:الإنترنت|الويب|الشبكة)(?:\ عن\b)?
    |(?:上网|在网上|网上)(?:搜索|查找|搜|查)(?:一下)?|搜索(?:一下)?
    |(?:インターネット|ネット|ウェブ)で
    )[\s:,–-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_AFTERWARDS: Final = re.compile(
    r"""[\s,]{0,3}(?:
    \b(?:on|in|from|over|across|using|with|via)\ (?:the\ |a\ )?(?:web|internet|google|web\ search|google\ search)
    |\bonline|\bplease|\bbitte|\bim\ internet|\bsur\ internet|\ben\ internet|\bsu\ internet|\bna\ internet
    |を?(?:検索|調べ)(?:して|て)?(?:ください|下さい)?
    )[\s"'“”.!?。！？]*$""",
    re.IGNORECASE | re.VERBOSE,
)


def _without_instruction(text: str) -> str:
    """`text` without what it tells us to do; all of it where nothing else is there."""
    left, before = text, ""
    while left != before:
        before = left
        left = _AFTERWARDS.sub("", _INSTRUCTIONS.sub("", left, count=1))
    left = left.strip()
    if len(left) > 1 and left[0] + left[-1] in {"''", "“”", "«»"}:
        left = left[1:-1].strip()
    return left if any(character.isalnum() for character in left) else text
