"""Calls of the embedded LLM with its real weights, SmolLM2-135M on llama.cpp.

If llama.cpp is not installed, the tests of a module that imports this module are skipped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from models.base import EngineUnavailable
from models.devices.native import provide_openmp
from models.language.capability import embedded_gguf
from models.language.embedded import EmbeddedLlm
from models.language.llm import Done, LlmCall, LlmEvent, TextDelta

try:
    GGUF = embedded_gguf()
except EngineUnavailable as error:
    pytest.skip(str(error), allow_module_level=True)
provide_openmp()
pytest.importorskip("xllamacpp")

CONTEXT_TOKENS = 1024
RECEIPT = "TAN WOON YANN BOOK TA.K SDN BHD\nDATE: 25/12/2018\nKF MODELLING CLAY 9.00\nTOTAL: RM 9.00\nCASH 10.00"


def user(text: str, *, system: str | None = None, **fields: Any) -> LlmCall:
    before = [] if system is None else [{"role": "system", "content": system}]
    options = {"temperature": 0, **fields.pop("options", {})}
    return LlmCall([*before, {"role": "user", "content": text}], options=options, **fields)


async def events_of(llm: EmbeddedLlm, call: LlmCall) -> list[LlmEvent]:
    return [event async for event in llm.stream(call)]


def text_of(events: Sequence[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def done_of(events: Sequence[LlmEvent]) -> Done:
    assert isinstance(events[-1], Done)
    return events[-1]


def under(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "fields", "schema": schema}}
