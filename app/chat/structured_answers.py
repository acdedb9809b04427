"""Makes answers that satisfy a schema: they are parsed, requested a second time if invalid, and traced to their
sources."""

import asyncio
import copy
import json
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import structlog

from app.chat.filling import Filling
from app.chat.inputs import entry_of_user_texts, pasted_document, texts_of
from app.chat.plan import reading_plan
from app.chat.requested_fields import CALL
from app.chat.run_plan import Material
from app.chat.shape import COMPLAINT, NotVerbatim, SchemaNotSatisfied, Shape
from app.chat.tool_loop import Rounds
from app.events import AnswerWarning, Event, Finish, Precontext, TextChunk, ToolCallChunk, text_chunks
from models.language.llm import estimate_tokens
from tasks.base import unreported
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.examples import Example
from tasks.extraction.explain import explain
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import fields_in
from tasks.extraction.passages import read_of
from tasks.precontext import Entry, Evidence
from tasks.schema.awaited import in_thread, in_turn
from tasks.schema.json_answer import AnswerInvalid, JsonAnswer, whole_members
from tasks.schema.paths import JsonPath, leaves, pointer_of, referred, steps_of_pointer
from tasks.tracing.find_evidence import find_evidence

log = structlog.get_logger(__name__)

MAX_EVIDENCE_CHARS = 200_000_000
"""At most this many characters are compared to find evidence, summed over the fields. Each field is compared with the
whole text."""


@dataclass(frozen=True, slots=True)
class StructuredAnswers:
    """Makes answers that satisfy a schema."""

    extractor: Extractor | None = None
    """Extractor that finds and scores values of fields. None if neither is wanted."""

    async def by_llm(self, rounds: Rounds, material: Material) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer by the LLM, with Finish last. Its text is not yielded before it is known to
        satisfy the schema.

        After an invalid answer, the LLM is asked a second time. An answer that was cut, or that calls the client's
        tools, is not checked; its finish reason tells the client so. A refusal is an answer, too."""
        filling = material.filling
        events = rounds.answer()
        ending: Sequence[Event] = ()
        for is_last in (False, True):
            async with aclosing(events):
                async for event in events:
                    if not isinstance(event, TextChunk | Finish) or (isinstance(event, TextChunk) and event.is_refusal):
                        yield event
            if rounds.refused:
                break
            if rounds.finish_reason != "stop":
                ending = await self._end_of_unchecked(rounds, material)
                break
            try:
                answer = await asyncio.to_thread(filling.parse if filling else material.form.parse, rounds.text)
                ending = [*_written_fields(material), *await self.with_evidence(answer, rounds.entries, material)]
                break
            except AnswerInvalid as invalid:
                if is_last:
                    raise SchemaNotSatisfied(str(invalid)) from invalid
                log.info("answer_invalid", llm=rounds.llm.name)
                events = rounds.retry(COMPLAINT.format(reason=invalid))
        for event in ending:
            yield event
        material.inquiry.call.stages.done("answer")
        yield rounds.finish

    async def _end_of_unchecked(self, rounds: Rounds, material: Material) -> list[Event]:
        """Return the text of an answer that was cut or that calls the client's tools, and what is known of it."""
        filling = material.filling
        text = filling.cut_answer(rounds.text) if filling and rounds.text else rounds.text
        ending: list[Event] = [TextChunk(text)] if text else []
        if rounds.finish_reason != "tool_calls":
            members = await asyncio.to_thread(whole_members, text)
            traced, _ = await self._trace_events(members, rounds.entries, material, is_cut=True)
            ending += [*_written_fields(material), *traced]
        return ending

    async def copied(
        self, answer: JsonAnswer, material: Material, function: str | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer whose fields are all copied. With `function`, the answer is a call of this
        function, and its JSON becomes the arguments of the call."""
        entries = material.entries
        prompt = texts_of(material.request)
        tokens = await asyncio.to_thread(lambda: (estimate_tokens(*prompt), estimate_tokens(answer.text)))
        material.inquiry.call.admission.count_call(*tokens)
        if entries:
            yield Precontext(entries)
        for event in await self.with_evidence(answer, entries, material):
            if function is not None:
                yield _as_call(event, function)
            elif isinstance(event, TextChunk):
                for chunk in text_chunks(event.text):
                    yield chunk
            else:
                yield event
        yield Finish("tool_calls" if function else "stop", *tokens)
        material.inquiry.call.stages.done("answer")

    async def with_evidence(self, answer: JsonAnswer, entries: Sequence[Entry], material: Material) -> list[Event]:
        """Return the events of the answer, and of the evidence for its fields. If the request is `verbatim`, values
        without support become null. Raises NotVerbatim if such a value must not be null."""
        events, evidence = await self._trace_events(answer.value, entries, material)
        if material.request.verbatim and evidence is not None:
            answer = await asyncio.to_thread(null_unsupported, answer, evidence, material.form)
        return [TextChunk(answer.text), *events]

    async def _trace_events(
        self, value: Any, entries: Sequence[Entry], material: Material, *, is_cut: bool = False
    ) -> tuple[list[Event], Evidence | None]:
        """If the client requests evidence, return the events of the evidence for an answer's fields, and the evidence
        itself. Otherwise, return no events and None."""
        if not material.request.shows_evidence:
            return [], None
        evidence, left_out = await self.trace(value, entries, material, is_cut=is_cut)
        warnings = []
        if left_out:
            warnings.append(
                f"The last {left_out} fields have no evidence: the schema has too many fields for a text of this "
                "length."
            )
        if (pointer := material.request.explain) is not None:
            if material.filling is None or material.filling.trace is None:
                warnings.append("'explain' has no effect: no field of this answer was copied.")
            else:
                explanation = await in_thread(_explained, pointer, value, material.filling, evidence)
                evidence = replace(evidence, explanation=explanation)
        return [*map(AnswerWarning, warnings), evidence], evidence

    async def trace(
        self, value: Any, entries: Sequence[Entry], material: Material, *, is_cut: bool = False
    ) -> tuple[Evidence, int]:
        """Return the evidence for the fields of an answer, and the number of fields that it leaves out.

        An answer for which `is_cut` is true gets no probabilities.
        """
        request, filling, since = material.request, material.filling, material.turn.since
        placed: CopiedFields | None = filling.copied if filling and filling.copied.can_place else None
        if placed is None and self.extractor is not None and filling is None and not is_cut:
            read = read_of(entries, await asyncio.to_thread(pasted_document, request, since))
            wanted = await asyncio.to_thread(fields_in, value, material.form.schema)
            scored = await in_turn(self.extractor.threads, self.extractor.score, read, wanted)
            placed = CopiedFields({}, scored)
        document = placed.document if placed else None
        find = partial(
            find_evidence,
            value,
            entries,
            material.form.schema,
            most_chars=MAX_EVIDENCE_CHARS,
            support=partial(placed.place, copied=filling is not None) if placed else None,
            request=document or await asyncio.to_thread(entry_of_user_texts, request, since),
            decided=filling.copied.decided if filling else {},
            undecided=filling.undecided if filling else {},
        )
        threads = self.extractor.threads if self.extractor is not None else None
        evidence, left_out = await in_turn(threads, find)
        # Places, times and confidences are measured, not printed.
        measured = tuple(f"{pointer_of(path)}/" for path in (filling.copied.from_results if filling else ()))
        unsupported = [pointer for pointer in evidence.unsupported if not pointer.startswith(measured)]
        return replace(evidence, unsupported=unsupported), left_out


async def read_examples(material: Material) -> list[Example]:
    """Return the conversation's examples whose answers satisfy the schema, with the texts read from their inputs.

    Raises InputError or ModelError if an input cannot be read.
    """
    found = []
    checker = material.form.checker
    for one in material.turn.examples:
        if checker is None or await in_thread(checker.problem, one.answer) is None:
            plan = reading_plan(one.sources)
            entries = await material.specialists.run_plan(plan, unreported, is_all=True)
            found.append(Example(read_of(entries, one.document), one.answer))
    return found


def _explained(pointer: str, answer: Any, filling: Filling, evidence: Evidence) -> dict[str, Any]:
    """Return why the field at `pointer` has its value, as JSON."""
    assert filling.trace is not None
    steps = steps_of_pointer(f"#{pointer}")
    # A key of digits is rare, the index of an item is not.
    path = tuple(int(step) if step.isdecimal() else step for step in steps)
    value = referred(answer, f"#{pointer}")
    return asdict(explain(filling.copied, filling.trace, path, value, evidence.fields.get(pointer)))


def _as_call(event: Event, function: str) -> Event:
    """Turn a chunk of text into a chunk of the arguments of a call of `function`, and evidence for the text into
    evidence for the arguments."""
    match event:
        case TextChunk(text):
            return ToolCallChunk(0, text, f"call_{secrets.token_hex(12)}", function)
        case Evidence(fields, unsupported):
            return replace(
                event,
                fields={CALL + pointer: found for pointer, found in fields.items()},
                unsupported=[CALL + one for one in unsupported],
            )
    return event


def _written_fields(material: Material) -> Iterator[AnswerWarning]:
    """Yield a warning if some fields of an answer are copied and the LLM wrote the others. The warning names the
    latter."""
    fields = material.filling.written_fields if material.filling else []
    if fields:
        yield AnswerWarning(
            f"Written by {material.llm.name}, not copied from the input: {', '.join(fields)}. The other "
            "fields are copied."
        )


def null_unsupported(answer: JsonAnswer, evidence: Evidence, shape: Shape) -> JsonAnswer:
    """Return the answer with null for every unsupported value. Raises NotVerbatim for the first value that must not be
    null.

    The whole answer is checked, because a `const` or an `enum` may demand values deep inside the value to which it
    belongs. A check may be slow and there may be many values, so the first one is found by a binary search. It is the
    first only if further nulls never make a refused answer valid again; otherwise, it is one whose null makes a valid
    answer invalid.
    """
    against = set(evidence.unsupported)
    unsupported: list[JsonPath] = []
    for path, _ in leaves(answer.value, ()):
        pointer = pointer_of(path)
        if pointer not in evidence.fields or pointer in against:
            unsupported.append(path)
    value = _with_nulls(answer.value, unsupported)
    if unsupported and shape.checker is not None and not shape.checker.accepts(value):
        accepted, refused = 0, len(unsupported)
        while refused - accepted > 1:
            middle = (accepted + refused) // 2
            if shape.checker.accepts(_with_nulls(answer.value, unsupported[:middle])):
                accepted = middle
            else:
                refused = middle
        raise NotVerbatim(pointer_of(unsupported[accepted]))
    return JsonAnswer(value, json.dumps(value, ensure_ascii=False))


def _with_nulls(value: Any, paths: Sequence[JsonPath]) -> Any:
    whole = [copy.deepcopy(value)]
    for path in paths:
        *above, last = (0, *path)
        part: Any = whole
        for step in above:
            part = part[step]
        part[last] = None
    return whole[0]
