"""Opens HTML files as Markdown, with the pictures in their data URLs."""

import binascii
from dataclasses import replace

import pybase64
from bs4 import Tag
from bs4.dammit import EncodingDetector

from tasks.inputs.limits import MediaLimits
from tasks.inputs.pictured_text import EmbeddedPages, PicturedText
from tasks.inputs.source import Blob
from tasks.inputs.text.html_text import alternative_text, html_to_markdown
from tasks.inputs.text.text_file import decode_text

_MAX_TAGS = 500_000
"""A page has at most this many tags, because each takes 30 µs and 1.5 KB."""


class HtmlFile(PicturedText):
    """An HTML page as Markdown. Its pages are the pictures in data URLs; nothing is fetched.

    The charset is the declared one, or else that of a `meta` element. Raises what `decode_text` raises, and
    InputTooLarge for more than _MAX_TAGS tags.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        charset = blob.charset or EncodingDetector.find_declared_encoding(blob.data[:4096], is_html=True)
        html = decode_text(replace(blob, charset=charset), limits)
        if html.count("<") > _MAX_TAGS:
            raise blob.too_large(f"has more than {_MAX_TAGS} tags, the limit of an HTML file.")

        def convert(pictures: EmbeddedPages) -> str:
            return html_to_markdown(html, lambda img: _picture_text(img, pictures))

        super().__init__(blob, limits, convert)


def _picture_text(img: Tag, pictures: EmbeddedPages) -> str:
    head, comma, payload = str(img.get("src") or "").partition(",")
    if not (comma and head[:5].lower() == "data:" and head.lower().endswith(";base64")):
        return alternative_text(img)
    try:
        data = pybase64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError):
        return alternative_text(img)
    return pictures.marked(data, head[5:].partition(";")[0].replace("/", "."), str(img.get("alt") or ""))
