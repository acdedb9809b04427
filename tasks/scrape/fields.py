"""Which fields of a page a request asks for: "Extract post titles and points from …"."""

import re

_ASKED = re.compile(
    r"\b(?:extract|scrape|get|grab|list|collect|pull)\s+"
    r"(?P<fields>[^.:;?!\n]{2,200}?)\s+(?:from|on|at|in)\b[^.;?!\n]{0,80}?https?://",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\b(?:fields|columns)\b\s*:?\s*(?P<fields>[^.;?!\n]{2,300})", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?:,|;|&|\+|/|\band\b|\bwith\b|\bplus\b)\s*", re.IGNORECASE)
_NOISE = re.compile(
    r"\b(?:all|the|a|an|any|every|each|of|number|their|its|please|me|top|first|latest|current|corresponding|\d+)\b",
    re.IGNORECASE,
)
_OF = re.compile(r"^(?:the )?(?:number|amount|count) of | of .*", re.IGNORECASE)
"""\"number of reviews\" are the reviews, \"dates of the events\" the dates."""
_WORD = re.compile(r"[^\W_]+")
_NO_FIELD = frozenset(
    {"page", "text", "content", "contents", "article", "everything", "information", "info", "data", "html", "markdown"}
    | {"website", "site", "webpage", "table", "tables", "summary", "it", "this", "that"}
)
"""What stands for the page itself: its text is in the result anyway."""
_COUNTED = frozenset(
    {"points", "comments", "votes", "upvotes", "likes", "reviews", "stars", "views", "replies", "shares", "downloads"}
    | {"forks", "games", "followers", "members", "beds", "rooms", "series", "news", "status", "address"}
)
"""Numbers of something, and what only looks like a plural."""
MAX_FIELDS = 20


def fields_asked(text: str) -> tuple[str, ...]:
    """The fields that `text` names, as keys: `("title", "points")`. () when it asks for the page as a whole."""
    match = _ASKED.search(text) or _LISTED.search(text)
    if match is None:
        return ()
    phrases = [
        _WORD.findall(_NOISE.sub(" ", _OF.sub("", phrase)).lower()) for phrase in _SEPARATOR.split(match["fields"])
    ]
    phrases = [phrase for phrase in phrases if phrase and phrase[-1] not in _NO_FIELD][:MAX_FIELDS]
    short = [_singular(phrase[-1]) for phrase in phrases]
    # "post titles and points": the first word says what is listed, unless it tells two fields apart.
    keys = [
        key if short.count(key) == 1 else "_".join([*phrase[:-1], key])
        for key, phrase in zip(short, phrases, strict=True)
    ]
    return tuple(dict.fromkeys(keys))


def _singular(word: str) -> str:
    if word in _COUNTED or len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]
