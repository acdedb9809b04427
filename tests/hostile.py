"""Files that claim, nest or inflate to more than they are, made small."""

import gzip
import io
import struct
import wave
import zipfile
import zlib

import av
import numpy as np
import PIL.Image

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
    """A PNG of a few hundred bytes whose header claims that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def gzip_of_zeros(size: int) -> bytes:
    """About a thousandth of `size` bytes, which inflates to all of it."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, mtime=0) as packed:
        block = bytes(2**20)
        for _ in range(size // len(block)):
            packed.write(block)
    return file.getvalue()


def docx(document: bytes | str) -> bytes:
    """A Word file with that main part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _RELATIONSHIPS)
        archive.writestr("word/document.xml", document)
    return file.getvalue()


def docx_bomb(size: int = 2**28) -> bytes:
    """A Word file whose main part inflates to `size` bytes of one endless paragraph."""
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
    """A Word file whose main part declares entities that expand to a billion words."""
    return docx(
        _laughing(f'<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>&e9;</w:t></w:r></w:p></w:body></w:document>')
    )


def xml_laughing() -> bytes:
    return _laughing("<root>&e9;</root>").encode()


def _laughing(root: str) -> str:
    entities = "".join(f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' for level in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{entities}]>{root}'


def json_of_depth(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1, the first its catalog."""
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
    """One blank square page of that size."""
    points = b"%d" % round(side * 72)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 " + points + b" " + points + b"]>>",
    )


def pdf_drawing_itself() -> bytes:
    """A page whose form draws itself."""
    drawing = b"/F Do"
    content = b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing)
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 100 100]/Resources<</XObject<</F 5 0 R>>>>/Length %d>>" % len(
        drawing
    )
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Resources<</XObject<</F 5 0 R>>>>/Contents 4 0 R>>",
        content,
        form + b"stream\n" + drawing + b"\nendstream",
    )


def pdf_of_a_circular_tree() -> bytes:
    """A page, and beside it the tree of pages as its own child."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
    )


def wav(seconds: float = 1.0, frequency: float = 440.0) -> bytes:
    """A tone, 16 kHz mono."""
    times = np.arange(round(seconds * 16000)) / 16000
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes((np.sin(2 * np.pi * frequency * times) * 9000).astype("<i2").tobytes())
    return file.getvalue()


def wav_claiming_4_gb() -> bytes:
    """A second of sound under a header that claims 4 GB of it."""
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


def jpeg_of_scans(scans: int, *, width: int = 64, height: int = 64) -> bytes:
    """A progressive grey JPEG whose last scan, which refines what is there, comes so many times in all."""
    file = io.BytesIO()
    PIL.Image.new("L", (width, height), 200).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - data.count(b"\xff\xda") + 1) + data[-2:]
