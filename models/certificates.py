"""Reads the certificates of the authorities that TLS connections trust."""

import functools
import os
import ssl

import httpx


def trusted() -> ssl.SSLContext:
    """Return the context for TLS connections. It trusts certifi's authorities, or the ones that SSL_CERT_FILE or
    SSL_CERT_DIR names.

    All connections of a process share the context, because reading the certificates takes 40 ms.
    """
    return _create_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _create_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()
