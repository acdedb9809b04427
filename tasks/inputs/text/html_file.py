"""HTML files: text with structure, and the pictures that are in the file itself."""

import binascii
from dataclasses import replace

import pybase64
from bs4 import Tag
from bs4.dammit import EncodingDetector

from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.document import OfficePictures, PicturedText
from tasks.inputs.text.html_text import alternative_text, html_to_markdown
from tasks.inputs.text.text_file import decode_text

_TAGS = 500_000
"""Measured: 30 µs and 1.5 KB for each."""


class HtmlFile(PicturedText):
    """A page as Markdown. Only pictures in data URLs are its pages: nothing is fetched.

    The charset is the declared one, then that of a `meta` element. Raises as `decode_text`, and InputTooLarge for one
    with too many elements.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        charset = blob.charset or EncodingDetector.find_declared_encoding(blob.data[:4096], is_html=True)
        html = decode_text(replace(blob, charset=charset), limits)
        if html.count("<") > _TAGS:
            raise blob.too_large(f"has more than {_TAGS} elements, the limit of an HTML file.")

        def convert(pictures: OfficePictures) -> str:
            return html_to_markdown(html, lambda img: _picture(img, pictures))

        super().__init__(blob, limits, convert)


def _picture(img: Tag, pictures: OfficePictures) -> str:
    head, comma, payload = str(img.get("src") or "").partition(",")
    if not (comma and head[:5].lower() == "data:" and head.lower().endswith(";base64")):
        return alternative_text(img)
    try:
        data = pybase64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError):
        return alternative_text(img)
    return pictures.marked(data, head[5:].partition(";")[0].replace("/", "."), str(img.get("alt") or ""))
