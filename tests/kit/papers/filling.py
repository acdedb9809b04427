"""Schemas filled with results of specialists, by the real network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.chat.filling import Filling, fill_whole
from app.chat.filling import fill as fill_by
from app.chat.inputs import pasted_document
from app.chat.plan import Plan, Step
from app.chat.shape import Shape
from app.wire.request import ChatRequest, ResponseFormat
from models.embedding.embedder import DIMENSIONS
from models.embedding.minilm import MiniLm
from models.extraction.network import ExtractionNetwork
from tasks.catalog import PRECONTEXT_NAMES, SPECIALISTS
from tasks.extraction.extract import copy_fields
from tasks.extraction.extractor import Extractor
from tasks.extraction.given_values import GivenValues
from tasks.precontext import Entry
from tasks.wording.options import TaskOptions
from tests.kit.chats.entries import entry_of
from tests.kit.papers.read_pages import ocr

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
OR_NULL = {"type": ["string", "null"]}
IBAN, BIC = "DE89 3704 0044 0532 0130 00", "COBADEFFXXX"
RECEIPT = ocr(
    "ACME BOOKS",
    ("Document No : TD01167104", "Date: 25/12/2018 8:13"),
    "mail: shop@acme.example",
    ("Lamp", "30.00"),
    ("Chair", "33.60"),
    ("Total", "63.60"),
    ("Cash", "70.00"),
)


@dataclass(frozen=True)
class Found:
    """Steps of a plan, with the result of each."""

    plan: Plan
    entries: Sequence[Entry]
    document: Entry | None = None
    """Text of the request itself, read if no step read anything."""


def shape_of(*, required: Sequence[str] | None = None, defs: Any = None, **properties: Any) -> Shape:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else list(required),
        "additionalProperties": False,
        **({"$defs": defs} if defs else {}),
    }
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    shape = Shape.of(ResponseFormat.model_validate(asked))
    assert shape is not None
    return shape


def found(*results: tuple[str, Any], text: str = "", reads_out: bool = False) -> Found:
    steps = tuple(
        Step(task, (), SPECIALISTS[task].options_of(text, {}, has_sources=True) if text else TaskOptions())
        for task, _ in results
    )
    entries = [entry_of(PRECONTEXT_NAMES.get(task, task), data) for task, data in results]
    return Found(Plan(steps, reads_out=reads_out), entries)


def seen(text: str, *labels: str, **more: Any) -> Found:
    objects = [{"label": label, "bounds": {}, "confidence": 0.9, **more} for label in labels]
    return found(("object_detection", {"detected_objects": objects}), text=text)


def read(*, page: Entry = RECEIPT) -> Found:
    return found(("ocr", page.result.data))


class Embedding:
    """Embedding engine without a host. Implements Embedder."""

    def __init__(self) -> None:
        self._engine = MiniLm()
        self._engine.load()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = [vector for vector in self._engine.run(texts) if not isinstance(vector, Exception)]
        return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)


@cache
def extractor() -> Extractor:
    return Extractor(ExtractionNetwork(), Embedding(), most_spans=6_000)


async def fill(shape: Shape, found: Found) -> Filling | None:
    return await fill_by(shape, found.plan, found.entries, found.document, extractor())


async def whole(shape: Shape, found: Found, root: str = "") -> Filling:
    """Return the filling of all fields without an LLM."""
    return await fill_whole(shape, found.plan, found.entries, found.document, extractor(), root)


async def filled(found: Found, **properties: Any) -> dict[str, Any]:
    """Return the fields of a flat schema that are filled without an LLM."""
    filling = await fill(shape_of(**properties), found)
    return {str(path[0]): value for path, value in filling.values.items()} if filling else {}


def left(filling: Filling | None) -> Any:
    """Return the properties that are left to the LLM."""
    assert filling is not None
    assert filling.rest is not None
    assert filling.rest.schema is not None
    return filling.rest.schema["properties"]


def pasted(*messages: str) -> Found:
    users = [{"role": "user", "content": message} for message in messages]
    return Found(Plan(), [], pasted_document(ChatRequest.model_validate({"model": "auto", "messages": users})))


def list_in(text: str, name: str, /, **columns: Any) -> Any:
    """Return the list called `name` whose objects have such fields, as far as tables fill it."""
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    schema = {"type": "object", "properties": {name: {"type": "array", "items": item}}, "required": [name]}
    document = pasted(f"Extract the fields.\n\n{text}").document
    assert document is not None
    return copy_fields(schema, GivenValues(), [document], None).values.get((name,))
