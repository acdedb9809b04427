"""The papers that are replayed, each with a schema and the truth about its fields.

A folder has papers `NAME.EXT`, and beside each `NAME.EXT.json` with `prompt`, `schema` and `truth`. The truth is like
the answer, and `{"any": [x, y]}` in it means that each of the values is right.
"""

import base64
import hashlib
import io
import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tasks.ocr_result import OcrResult
from training.extraction.examples import Placed, Receipt, is_for_calibration, is_held_out, receipts
from training.extraction.written import WrittenDocument, written_documents
from training.extraction.written_papers import asked_of, read_as_printed

CLOSED = frozenset(("measure",))
"""Names of the folders of which only totals are shown, so that nothing is fitted to them."""
OF_NEW_KIND = "new-"
"""Beginning of the names of papers of harder kinds, which are a set of their own."""
PROMPT = "Extract these fields."
_MEDIA_TYPES = {".md": "text/markdown", ".eml": "message/rfc822"}
"""Media types that Python does not know on every machine."""


@dataclass(frozen=True)
class Paper:
    set: str
    name: str
    prompt: str
    schema: Mapping[str, Any]
    truth: Any
    file: Path | None = None
    """File of the paper; a text file is pasted into the message."""
    lines: Sequence[Placed] = ()
    """Lines of a paper without a file, as if they had been read without a mistake."""

    @property
    def is_closed(self) -> bool:
        return self.set in CLOSED

    def body(self) -> dict[str, Any]:
        """Return the chat request."""
        return {
            "model": "interfaze-beta",
            "evidence": True,
            "temperature": 0,
            "messages": [{"role": "user", "content": self._content()}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "paper", "schema": self.schema}},
        }

    def _content(self) -> list[dict[str, Any]]:
        if self.file is not None and self.file.suffix == ".txt":
            return [{"type": "text", "text": f"{self.prompt}\n\n{self.file.read_text('utf-8')}"}]
        if self.file is None:
            media_type, data, name = "image/png", _blank_picture(), "page.png"
        else:
            media_type, data, name = _media_type(self.file), self.file.read_bytes(), self.file.name
        url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
        part: dict[str, Any] = {"type": "file", "file": {"filename": name, "file_data": url}}
        if media_type.startswith("image/"):
            part = {"type": "image_url", "image_url": {"url": url}}
        return [{"type": "text", "text": self.prompt}, part]

    def read_result(self) -> OcrResult | None:
        """Return the lines of a paper without a file as the result of reading it."""
        return read_as_printed(self.lines) if self.lines else None


def all_papers(folders: Sequence[Path], receipt_folder: Path | None) -> list[Paper]:
    """Return the papers of the folders, the receipts, and the written documents, each set in its order."""
    found = [paper for folder in folders for paper in folder_papers(folder)]
    if receipt_folder is not None:
        found += receipt_papers(receipt_folder)
    return [*found, *map(written_paper, (one for one in written_documents() if one.is_held_out))]


def folder_papers(folder: Path) -> Iterator[Paper]:
    for path in sorted(folder.glob("*.json")):
        asked, file = json.loads(path.read_text("utf-8")), path.with_suffix("")
        own = OF_NEW_KIND.rstrip("-") if file.name.startswith(OF_NEW_KIND) else folder.name
        yield Paper(own, file.name, asked["prompt"], asked["schema"], asked["truth"], file)


def receipt_papers(folder: Path) -> Iterator[Paper]:
    """Yield the receipts that are used neither for training nor for calibration: those with pictures, and lines of
    others."""
    for receipt in receipts(folder):
        if is_held_out(receipt) and not is_for_calibration(receipt):
            fields = receipt.fields
            schema = {
                "type": "object",
                "properties": {name: {"type": "string"} for name in fields},
                "required": [*fields],
            }
            yield Paper("receipts", receipt.id, PROMPT, schema, fields, *_pages_of(receipt, folder))


def _pages_of(receipt: Receipt, folder: Path) -> tuple[Path | None, Sequence[Placed]]:
    return (folder / "images" / f"{receipt.id}.jpg", ()) if receipt.has_picture else (None, receipt.lines)


def written_paper(document: WrittenDocument) -> Paper:
    """Return a held-out document as it is printed, without noise, with a schema of its fields."""
    asked = asked_of(document)
    name = f"{document.source}/{document.kind}/{hashlib.sha256(document.text.encode()).hexdigest()[:8]}"
    own = "trades" if document.is_of_unseen_trade else "written"
    return Paper(own, name, PROMPT, asked.schema, asked.truth, lines=asked.lines)


def _media_type(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or _MEDIA_TYPES.get(file.suffix.lower(), "text/plain")


def _blank_picture() -> bytes:
    """Return a picture for a paper that has none, so that it is planned like one that has."""
    written = io.BytesIO()
    Image.new("L", (64, 64), 255).save(written, "png")
    return written.getvalue()
