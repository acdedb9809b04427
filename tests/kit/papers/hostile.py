"""Small files that claim a false size, nest deeply, or inflate to a large size."""

import gzip
import io
import struct
import wave
import zipfile
import zlib

import av
import numpy as np

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONSHIPS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG of a few hundred bytes whose header claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def gzip_of_zeros(size: int) -> bytes:
    """Return about a thousandth of `size` bytes, which inflate to `size`."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0) as packed:
        block = bytes(2**20)
        for _ in range(size // len(block)):
            packed.write(block)
    return file.getvalue()


def docx(document: bytes | str) -> bytes:
    """Return a Word file with this main part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONSHIPS)
        archive.writestr("word/document.xml", document)
    return file.getvalue()


def docx_bomb(size: int = 2**28) -> bytes:
    """Return a Word file whose main part inflates to `size` bytes of one endless paragraph."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONSHIPS)
        with archive.open("word/document.xml", "w") as part:
            part.write(f'<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>'.encode())
            block = b"A" * 2**20
            for _ in range(size // len(block)):
                part.write(block)
            part.write(b"</w:t></w:r></w:p></w:body></w:document>")
    return file.getvalue()


def docx_laughing() -> bytes:
    """Return a Word file whose main part declares entities that expand to a billion words."""
    return docx(
        _laughing(f'<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:body></w:document>')
    )


def _laughing(root: str) -> str:
    entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>{root}'


def json_of_depth(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def pdf(*objects: bytes) -> bytes:
    """Return a PDF of these objects, which are numbered from 1. The first is the catalogue."""
    file = io.BytesIO()
    file.write(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(file.tell())
        file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    file.writelines(b"%010d 00000 n \n" % place for place in places)
    file.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return file.getvalue()


def pdf_of_inches(side: float) -> bytes:
    """Return a PDF with one blank, square page of this size."""
    points = b"%d" % round(side * 72)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 " + points + b" " + points + b"]>>",
    )


def pdf_page(content: bytes, resources: bytes = b"", *objects: bytes) -> bytes:
    """Return a PDF with a page of 600 × 800 points that shows `content`. The first of `objects` has the number 5."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<<" + resources + b">>/Contents 4 0 R>>",
        pdf_stream(content),
        *objects,
    )


def pdf_stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (entries, len(packed), packed)


def pdf_form(content: bytes, entries: bytes = b"") -> bytes:
    return pdf_stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]" + entries)


def pdf_drawing_itself() -> bytes:
    """Return a PDF with a form that draws itself."""
    return pdf_page(b"/F Do", b"/XObject<</F 5 0 R>>", pdf_form(b"/F Do", b"/Resources<</XObject<</F 5 0 R>>>>"))


def pdf_of_tiny_tiles() -> bytes:
    """Return a PDF with a page painted by a pattern of 10^13 tiles.

    The pattern is one object, so that PDFium never asks between tiles whether to go on.
    """
    pattern = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 .01 .01]/XStep .0001/YStep .0001"
    return pdf_page(
        b"/Pattern cs /P scn 0 0 600 800 re f",
        b"/Pattern<</P 5 0 R>>",
        pdf_stream(b"0 0 .001 .001 re f", pattern + b"/Resources<<>>"),
    )


def pdf_of_a_circular_tree() -> bytes:
    """Return a PDF with a page, and beside it the tree of pages as its own child."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
    )


def wav(seconds: float = 1.0, frequency: float = 440.0) -> bytes:
    """Return a tone at 16 kHz, mono, as a WAV file."""
    times = np.arange(round(seconds * 16000)) / 16000
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes((np.sin(2 * np.pi * frequency * times) * 9000).astype("<i2").tobytes())
    return file.getvalue()


def wav_claiming_4_gb() -> bytes:
    """Return a WAV file with a second of sound under a header that claims 4 GB."""
    honest = wav()
    return honest[:4] + b"\xff\xff\xff\xff" + honest[8:40] + b"\xff\xff\xff\xff" + honest[44:]


def mp4_without_audio() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for level in range(10):
            picture = np.full((64, 64, 3), level * 20, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()
