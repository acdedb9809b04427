"""Lets an orchestrating LLM with vision choose the screen elements that a user means."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import structlog

from models.base import ModelError
from models.language.llm import Abilities, Llm, LlmCall, TextDelta
from models.vision.gui.element_texts import texts_in
from models.vision.gui.elements import Box, GuiElement
from models.vision.gui.question import SCHEMA, SYSTEM, InvalidAnswer, ScreenAnswer, ScreenQuestion, question_of
from models.vision.gui.regions import Floats, as_boxes, intersection_over_union
from models.vision.gui.text_pieces import pieces_of
from models.vision.text import Image, TextLine

SAME_BOX_OVERLAP = 0.5
"""A box that the LLM states and a detected box count as the same if their intersection over union is at least this."""
_SECONDS = 30.0
_ATTEMPTS = 2
_ANSWER_TOKENS = 2048
"""An answer has at most this many tokens. It takes about a hundred, but models that reason first need more."""
_PICTURE_TOKENS = 4000
"""The picture and the rules take at most this many tokens, with a margin because servers count tokens differently."""
_ELEMENT_TOKENS = 40
_MAX_LISTED = 250
_ASSUMED_CONTEXT = 16_384
"""Context length, in tokens, assumed for an LLM that does not state its own."""
_COMPLAINT = "That does not fit: {reason}. Answer again with the corrected JSON object and nothing else."

log = structlog.get_logger(__name__)


class LlmGrounder:
    """Implementation of GuiGrounder by an LLM. A failure of the LLM is logged instead of raised."""

    def __init__(self, llm: Callable[[], Llm], *, always: bool = False, seconds: float = _SECONDS) -> None:
        """`seconds` is the time limit of an answer, both attempts together."""
        self.always = always
        self._llm = llm
        self._seconds = seconds

    async def ground(
        self, wanted: str, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
    ) -> list[GuiElement] | None:
        try:
            async with asyncio.timeout(self._seconds):
                llm = self._llm()
                abilities = await llm.abilities()
                if not abilities.vision:
                    log.info("gui_grounding_blind", llm=llm.name)
                    return None
                room = (abilities.context_tokens or _ASSUMED_CONTEXT) - _ANSWER_TOKENS - _PICTURE_TOKENS
                limit = min(_MAX_LISTED, max(0, room // _ELEMENT_TOKENS))
                question = await asyncio.to_thread(question_of, wanted, image, elements, limit)
                answer = await _answer(llm, question, abilities)
        except (ModelError, TimeoutError, InvalidAnswer) as error:
            log.warning("gui_grounding_failed", error=type(error).__name__)
            return None
        if answer.means == "everything":
            return list(elements)
        return await asyncio.to_thread(_merge_elements, answer, image, elements, lines)


async def _answer(llm: Llm, question: ScreenQuestion, abilities: Abilities) -> ScreenAnswer:
    """Return the LLM's answer, after a second attempt if the first is invalid. Raises ModelError and InvalidAnswer."""
    form = {"type": "json_schema", "json_schema": {"name": "meant", "schema": SCHEMA, "strict": True}}
    messages: list[Mapping[str, Any]] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question.content},
    ]
    for attempt in range(1, _ATTEMPTS + 1):
        call = LlmCall(
            list(messages),
            response_format=form if abilities.json_schema else None,
            options={"temperature": 0, "max_tokens": _ANSWER_TOKENS},
        )
        async with aclosing(llm.stream(call)) as events:
            answer_text = "".join([event.text async for event in events if isinstance(event, TextDelta)])
        try:
            return question.read(answer_text)
        except InvalidAnswer as error:
            log.info("gui_grounding_unfit", llm=llm.name, attempt=attempt)
            complaint = _COMPLAINT.format(reason=error)
            messages += [{"role": "assistant", "content": answer_text}, {"role": "user", "content": complaint}]
    raise InvalidAnswer


def _merge_elements(
    answer: ScreenAnswer, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
) -> list[GuiElement]:
    """Return the elements of `answer` in reading order. A box that coincides with one of `elements` becomes this
    element; any other becomes a new element of the type that the LLM gives, with the text that OCR reads in the box and
    without a score."""
    chosen = {id(one): one for one in answer.elements}
    fresh: list[tuple[str, Box]] = []
    for kind, box in answer.boxes:
        share = _overlaps(box, [one.box for one in elements])
        if share.max(initial=0) >= SAME_BOX_OVERLAP:
            one = elements[int(share.argmax())]
            chosen[id(one)] = one
        elif _overlaps(box, [other for _, other in fresh]).max(initial=0) < SAME_BOX_OVERLAP:
            fresh.append((kind, box))
    texts = texts_in(as_boxes([box for _, box in fresh]), pieces_of(image, lines)) if fresh else []
    new = [GuiElement(kind, None, box, text) for (kind, box), text in zip(fresh, texts, strict=True)]
    return sorted([*chosen.values(), *new], key=lambda one: (one.box[1], one.box[0]))


def _overlaps(box: Box, others: Sequence[Box]) -> Floats:
    share: Floats = intersection_over_union(as_boxes([box]), as_boxes(others))[0]
    return share
