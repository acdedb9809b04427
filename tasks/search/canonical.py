"""One name for all the URLs of a page."""

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_TRACKING = re.compile(
    r"utm_\w+|ga_\w+|hsa_\w+|pk_\w+|mtm_\w+|_hs\w+|[gdwy]?clid|gclsrc|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid"
    r"|mc_[ce]id|_ga|_gl|ref_src|ref_url|cmpid|ocid|spm|s_cid|amp|amp_\w+|outputtype",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)|^/amp(?=/)", re.IGNORECASE)
_CACHE_HOST = ".cdn.ampproject.org"
_GOOGLE_AMP = re.compile(r"^/amp/(?:s/)?")
_AMP_CACHE = re.compile(r"^/[cv]/(?:s/)?")
_PLAIN_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/|$)", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)


def canonical(url: str) -> str:
    """Equal for two URLs of one page, as far as they show: without scheme, `www.`, port, fragment, final slash, what
    tracks readers, and signs of AMP; with the parameters in order. To compare, not to fetch. Raises ValueError for what
    is no URL."""
    parts = urlsplit(_out_of_cache(url))
    host, path = (parts.hostname or "").rstrip("."), parts.path
    host = _PREFIX.sub("", host)
    if parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    path = _INDEX.sub("/", _AMP_PATH.sub("", unquote(path))).rstrip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if not _TRACKING.fullmatch(pair[0])))
    return host + path + _with_mark(query)


def _out_of_cache(url: str) -> str:
    """What Google's AMP cache holds a copy of; `url` itself where it is in no cache."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    for is_cache, prefix in ((host.startswith("www.google."), _GOOGLE_AMP), (host.endswith(_CACHE_HOST), _AMP_CACHE)):
        inner = prefix.sub("", parts.path) if is_cache else parts.path
        if inner != parts.path and _PLAIN_HOST.match(inner):
            return f"https://{inner}{_with_mark(parts.query)}"
    return url


def _with_mark(query: str) -> str:
    return f"?{query}" if query else ""


def is_on(url: str, site: str) -> bool:
    """Whether `url` is on the host `site`, or on one below it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == site or host.endswith(f".{site}")
