"""The address of an OpenAI-compatible server, and of the proxy on the way to it."""

import ipaddress
import re
import urllib.request

import httpx


def api_url(base_url: str) -> httpx.URL:
    """Return `base_url` with a version in its path: `/v1`, unless the path names another."""
    url = httpx.URL(base_url.strip().rstrip("/").removesuffix("/chat/completions"))
    versioned = any(re.fullmatch(r"v\d\w*", part) for part in url.path.split("/"))
    return url if versioned else url.copy_with(path=url.path.rstrip("/") + "/v1")


def beside_api(url: httpx.URL, path: str) -> httpx.URL:
    """Return the URL of `path` on the same server, outside its OpenAI-compatible API."""
    return url.copy_with(path=url.path.removesuffix("/v1") + path)


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY determine for `url`; None if there is none, or if
    `url` is on this machine."""
    if _is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxy = urllib.request.getproxies().get(url.scheme)
    return None if proxy is None else httpx.Proxy(proxy)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
