"""Texts that hold pictures: office files and HTML."""

import binascii
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pybase64
from bs4 import Tag
from bs4.dammit import EncodingDetector
from lxml.etree import _Element

from models.vision.text import Image
from tasks.errors import InputError
from tasks.inputs.blame import is_fault_of_file
from tasks.inputs.document import Pages, TextLayer
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import IMAGES, sniff
from tasks.inputs.office.bounds import inflated
from tasks.inputs.picture import PicturePages
from tasks.inputs.source import Blob
from tasks.inputs.text.html_text import alternative_text, html_to_markdown, picture_mention
from tasks.inputs.text.text_file import check_length, decode_text, mark, unread, without_marks

NAMESPACES = (
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
)


def in_line(equation: _Element) -> str:
    """Return the text of an `m:oMath` or `m:oMathPara`, or of a part of one."""
    return "".join(map(_text, equation))


def _text(node: _Element) -> str:
    name = _name(node)
    match name:
        case "t":
            return node.text or ""
        case "f":
            return f"{_grouped(_part(node, 'num'))}/{_grouped(_part(node, 'den'))}"
        case "sSup" | "sSub" | "sSubSup":
            return _part(node, "e") + _scripts(node)
        case "sPre":
            return _scripts(node) + _part(node, "e")
        case "rad":
            return f"{_part(node, 'deg')}√({_part(node, 'e')})"
        case "nary":
            return f"{_property(node, 'chr', '∫')}{_scripts(node)} {_part(node, 'e')}"
        case "d":
            inner = _property(node, "sepChr", "|").join(in_line(part) for part in _parts(node, "e"))
            return _property(node, "begChr", "(") + inner + _property(node, "endChr", ")")
        case "func":
            return f"{_part(node, 'fName')} {_part(node, 'e')}"
        case "limLow" | "limUpp":
            return f"{_part(node, 'e')}{'_' if name == 'limLow' else '^'}{_grouped(_part(node, 'lim'))}"
        case "m":
            rows = (", ".join(in_line(cell) for cell in _parts(row, "e")) for row in _parts(node, "mr"))
            return "; ".join(rows)
        case "acc":
            return _part(node, "e") + _property(node, "chr", "\u0302")
        case _ if name.endswith("Pr"):
            return ""
        case _:
            return in_line(node)


def _scripts(node: _Element) -> str:
    scripts = ((sign, _part(node, name)) for sign, name in (("_", "sub"), ("^", "sup")))
    return "".join(sign + _grouped(text) for sign, text in scripts if text)


def _part(node: _Element, name: str) -> str:
    return "".join(map(in_line, _parts(node, name)))


def _parts(node: _Element, name: str) -> Iterable[_Element]:
    return [child for child in node if _name(child) == name]


def _property(node: _Element, name: str, default: str) -> str:
    for properties in node:
        if _name(properties).endswith("Pr"):
            for child in _parts(properties, name):
                return next((str(value) for value in child.attrib.values()), "")
    return default


def _grouped(text: str) -> str:
    return text if len(text) <= 1 or text.isalnum() else f"({text})"


def _name(node: _Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else "comment"


_MAIN = (
    "http://schemas.openxmlformats.org/drawingml/2006/main",
    "http://purl.oclc.org/ooxml/drawingml/main",
)
_RELATIONSHIPS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_TEXT = frozenset(f"{{{main}}}t" for main in _MAIN)
_BREAK = frozenset(f"{{{main}}}{name}" for main in _MAIN for name in ("br", "tab"))
_EQUATION = frozenset(f"{{{math}}}oMath" for math in NAMESPACES)


def paragraphs(element: _Element) -> list[str]:
    """Return the non-empty paragraphs in `element`, in the file's order."""
    found = (paragraph_text(p) for p in element.iter(*(f"{{{main}}}p" for main in _MAIN)))
    return [text for text in found if text]


def paragraph_text(paragraph: _Element) -> str:
    return " ".join("".join(_pieces(paragraph)).split())


def pictures(element: _Element) -> Iterator[tuple[str, str]]:
    """Yield the relationship id and the author's description of each embedded picture in `element`."""
    for blip in element.iter(*(f"{{{main}}}blip" for main in _MAIN)):
        for relationships in _RELATIONSHIPS:
            if relationship := blip.get(f"{{{relationships}}}embed"):
                yield relationship, _description(blip, element)


def _description(blip: _Element, root: _Element) -> str:
    """Return the description in the `cNvPr` of the shape that the picture fills."""
    shape: _Element | None = blip
    while shape is not None:
        for child in shape:
            for properties in child.iterchildren("{*}cNvPr"):
                return properties.get("descr", "")
        shape = shape.getparent() if shape is not root else None
    return ""


def _pieces(element: _Element) -> Iterator[str]:
    for child in element:
        if child.tag in _TEXT:
            yield child.text or ""
        elif child.tag in _BREAK:
            yield " "
        elif child.tag in _EQUATION:
            yield in_line(child)
        else:
            yield from _pieces(child)


_MIN_SIDE = 8
"""Shortest side in pixels of a picture that can hold letters; lines, bullets and spacers are smaller."""


class OfficePictures:
    """The distinct pictures of a file, numbered from 1 in order of appearance."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self.blob = blob
        self._limits = limits
        self._pages: list[PicturePages] = []
        self._marks: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._pages)

    def __getitem__(self, number: int) -> PicturePages:
        """Return picture `number`. Raises InputError if there is none."""
        if not 1 <= number <= len(self._pages):
            raise self.blob.error(f"has no picture {number}; it has {len(self._pages)}.")
        return self._pages[number - 1]

    def marked(self, data: bytes, name: str, alt: str = "") -> str:
        """Return the text that stands for a picture: its description and mark, or a note if it cannot be read. `name`
        identifies the picture within the file."""
        media_type = sniff(data[:64])
        if media_type not in IMAGES:
            kind = media_type.removeprefix("image/") if media_type else name.rpartition(".")[2][:20]
            return " ".join(filter(None, [picture_mention(alt), unread(kind.upper())]))
        if data not in self._marks:
            self._marks[data] = self._mark(data, media_type, name)
        return " ".join(filter(None, [picture_mention(alt), self._marks[data]]))

    def _mark(self, data: bytes, media_type: str, name: str) -> str:
        blob = Blob(data, media_type, f"{self.blob.label}: {name}", self.blob.param)
        try:
            pages = PicturePages(blob, self._limits)
            width, height = pages.size(1)
        except InputError as error:
            return unread(_TOO_LARGE if error.code == "image_too_large" else "damaged")
        if min(width, height) < _MIN_SIDE:
            return ""
        self._pages.append(pages)
        return mark(len(self._pages))


_TOO_LARGE = "above OPENFAZE_MAX_IMAGE_MEGAPIXELS"


Converter = Callable[[dict[str, bytes], OfficePictures, MediaLimits], str]
"""Converts the members of an archive to Markdown that holds the pictures' marks."""


class PicturedText(Pages):
    """A text whose pages are the pictures in it."""

    kind = "text"

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Callable[[OfficePictures], str]) -> None:
        """Convert the file. Raises what `convert` raises, InputError for a malformed file, and InputTooLarge above
        `limits.text_chars`."""
        self._pictures = OfficePictures(blob, limits)
        try:
            marked = convert(self._pictures)
        except InputError:
            raise
        except Exception as error:  # libraries raise whatever malformed parts lead to
            if not is_fault_of_file(error):
                raise
            raise blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.") from error
        self.text, self.places = without_marks(marked)
        self.total = len(self._pictures)
        check_length(self.text, blob, limits)

    def size(self, number: int) -> tuple[int, int]:
        return self._pictures[number].size(1)

    def text_layer(self, number: int) -> TextLayer:
        return self._pictures[number].text_layer(1)

    def picture(self, number: int) -> Image:
        return self._pictures[number].picture(1)

    def close(self) -> None:
        """Release nothing: only the bytes of the pictures are kept."""


class OfficeFile(PicturedText):
    """A docx, pptx or xlsx file. Macros are ignored.

    The constructor raises InputError for a damaged file, `encrypted_document` and unsafe XML, and InputTooLarge for one
    that unpacks to too much.
    """

    def __init__(self, blob: Blob, limits: MediaLimits, convert: Converter) -> None:
        members = inflated(blob, limits)
        super().__init__(blob, limits, lambda pictures: convert(members, pictures, limits))


_TAGS = 500_000
"""Most tags of a page. Measured: 30 µs and 1.5 KB for each."""


class HtmlFile(PicturedText):
    """An HTML page as Markdown. Only pictures in data URLs are its pages; nothing is fetched.

    The charset is the declared one, or else that of a `meta` element. Raises what `decode_text` raises, and
    InputTooLarge for too many elements.
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
