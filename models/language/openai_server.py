"""An OpenAI-compatible server as the LLM: vLLM, SGLang, llama.cpp, Ollama, LM Studio, or a hosted one."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from models.base import media_type_of
from models.concurrency import SharedRun
from models.hosts.measures import EngineCounters
from models.language.event_stream import BodyParser, EventStreamParser, EventTooLong, WholeBody
from models.language.forced_call import CallReader, forced_functions, with_call_schema, with_forced_tools_only
from models.language.llm import (
    THINKING_TOKENS,
    Abilities,
    AnswerTooLong,
    ContextOverflow,
    Done,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmEvent,
    LlmNotSetUp,
    LlmRefused,
    LlmUnavailable,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    estimate_tokens,
    lowered,
    lowered_by_context,
)
from models.language.openai_address import beside_api
from models.language.openai_chunks import ChunkReader
from models.language.openai_faults import NO_COMPLETION, error_without_answer, is_page
from models.language.openai_http import AGENT, BROKEN_CONNECTION, OpenAiHttp, ServerPatience
from models.language.openai_probe import ABILITIES, KnownAbilities, find_abilities
from models.queues import Slots

STREAM_END = b"[DONE]"
_DOCUMENTS_AT_ONCE = 16
"""Number of documents that are read before other tasks have their turn."""

_OLLAMA_OWNER = "library"
"""Owner of every model in the list of an Ollama server."""

_TEMPLATE_FIELD = "chat_template_kwargs"
_NO_EFFECT = "The language model's server does not take these fields, which had no effect:"

PROBING_AGENT = f"{AGENT} (probe)"
"""User agent of the calls that test what the server can do. It distinguishes these calls from clients' calls."""


class OpenAiServer:
    """An LLM on a server. Implements models.language.llm.Llm.

    `base_url` may omit the `/v1`. If `model` is None, the first model that the server lists is used. `abilities` are
    those that the operator stated; the server is asked for the others. At most `at_once` calls run at a time, shared
    fairly among the keys; up to four times as many calls wait. Without `forces_calls`, a forced call is requested as
    JSON from the start. An object of this class belongs to the event loop in
    which it is first used.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        model: str | None = None,
        *,
        abilities: KnownAbilities | None = None,
        patience: ServerPatience | None = None,
        at_once: int = 256,
        forces_calls: bool = True,
    ) -> None:
        self._slots = Slots("llm", at_once, 4 * at_once)
        self.counters = EngineCounters()
        self._http = OpenAiHttp(base_url, api_key, patience or ServerPatience())
        self._models_url = self._http.url.copy_with(path=f"{self._http.url.path}/models")
        self._model = model
        self._known = abilities or KnownAbilities()
        self._abilities: Abilities | None = None
        self._forces_calls = forces_calls
        """False once the server has answered a forced call in words, but the same call under a schema as JSON."""
        self._outage: str | None = None
        """Sentence for clients on why the last try to reach the server failed; None if it succeeded, or if there was no
        try yet."""
        self._unopened: set[bool] = set()
        """Values of `LlmCall.thinks` whose last answer had reasoning without an opening tag. The next such answer is
        held back until its reasoning has ended."""
        self._always_reasons = False
        """True once an answer was cut because the model reasoned although reasoning was switched off."""
        self._listed: Mapping[str, Any] | None = None
        self._listing = SharedRun(self._list_models)
        self._probing = SharedRun(self._probe)

    @property
    def name(self) -> str:
        return self._model or f"the first model at {self._http.url.host}"

    async def model(self) -> str:
        if self._model is None:
            await self._listed_model()
        return self.name

    @property
    def is_capable(self) -> bool:
        """Always True, because the operator chose the model."""
        return True

    @property
    def loaded(self) -> bool:
        return self._abilities is not None

    @property
    def queued(self) -> int:
        return self._slots.waiting

    @property
    def running(self) -> int:
        return self._slots.running

    @property
    def healthy(self) -> bool:
        """Always True, because nothing in this object can break permanently, and each call shows the server's state."""
        return True

    @property
    def broken(self) -> str | None:
        """Reason why the server could not be reached at the last try, and a remedy; None if it could be reached."""
        return self._outage

    async def load(self) -> None:
        await self.abilities()

    async def check(self) -> None:
        """Check, at no cost, that the server can be reached, by requesting only its list of models. Raises
        LlmUnavailable if it cannot."""
        try:
            with self._recording_outage():
                await self._http.request_json("GET", self._models_url)
        except LlmError as error:
            # An error without an outage is an answer of the server, so the server can be reached.
            if self._outage is not None:
                error.host = self._http.url.host
                raise

    async def abilities(self) -> Abilities:
        """Return the abilities, which are determined once for all callers. If that fails, all waiting callers get the
        LlmError, and the next caller tries again."""
        return self._abilities or await self._probing.join()

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        if forced_functions(call):
            answer = self._forced_call(call)
        elif call.is_the_clients:
            answer = self._answer_within_limits(call)
        else:
            answer = self._own_question(call)
        async with self._slots.slot(), contextlib.aclosing(answer) as events:
            with self.counters.answering():
                async for event in events:
                    yield event

    def check_room(self) -> None:
        self._slots.check_room()

    def count_tokens(self, text: str) -> int:
        return estimate_tokens(text)

    async def close(self) -> None:
        await self._probing.stop()
        await self._listing.stop()
        await self._http.close()

    async def _forced_call(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield an answer that must be a call. If the server answers in words, the call is requested as JSON under a
        schema; if that succeeds, all later forced calls use the schema from the start."""
        if self._forces_calls:
            held: list[LlmEvent] = []
            has_called = False
            async with contextlib.aclosing(self._answer_within_limits(with_forced_tools_only(call))) as events:
                async for event in events:
                    has_called = has_called or isinstance(event, ToolCallDelta)
                    if has_called:
                        for ready in [*held, event]:
                            yield ready
                        held = []
                    elif isinstance(event, ReasoningDelta):
                        yield event
                    else:
                        held.append(event)
            texts = [event for event in held if isinstance(event, TextDelta) and event.text.strip()]
            if has_called or not texts or any(text.is_refusal for text in texts):
                for event in held:
                    yield event
                return
        reader = CallReader()
        async with contextlib.aclosing(self._answer_within_limits(with_call_schema(call))) as events:
            async for event in events:
                for piece in reader.read(event):
                    yield piece
        self._forces_calls = False

    async def _own_question(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer to a question of openfaze's own. If the answer is cut while the model is still reasoning,
        the question is repeated with room for the reasoning, and all later questions get this room from the start."""
        had_room = self._always_reasons
        reasoned, answered = False, False
        async with contextlib.aclosing(self._answer_within_limits(self._with_thinking_room(call))) as events:
            async for event in events:
                is_cut = isinstance(event, Done) and event.finish_reason == "length"
                if is_cut and reasoned and not (answered or had_room):
                    break
                reasoned = reasoned or isinstance(event, ReasoningDelta)
                answered = answered or isinstance(event, TextDelta | ToolCallDelta)
                yield event
            else:
                return
        self._always_reasons = True
        async with contextlib.aclosing(self._answer_within_limits(self._with_thinking_room(call))) as events:
            async for event in events:
                yield event

    def _with_thinking_room(self, call: LlmCall) -> LlmCall:
        """Return the call with additional tokens for a model whose reasoning cannot be switched off."""
        limit = call.options.get("max_tokens")
        if limit is None or not self._always_reasons:
            return call
        context = self._abilities.context_tokens if self._abilities else None
        room = THINKING_TOKENS if context is None else min(THINKING_TOKENS, context // 4)
        return replace(call, options={**call.options, "max_tokens": limit + room})

    def _options_left_out(self, call: LlmCall) -> str | None:
        """Return a note on the client's options that have no effect at this server, if any."""
        if not call.is_the_clients:
            return None
        names = self._http.options_left_out(call.options)
        if self._is_ollama and _TEMPLATE_FIELD in call.options:
            names.append(_TEMPLATE_FIELD)
        return f"{_NO_EFFECT} {', '.join(names)}." if names else None

    @property
    def _is_ollama(self) -> bool:
        return (self._listed or {}).get("owned_by") == _OLLAMA_OWNER

    def _thinking_fields(self, call: LlmCall) -> dict[str, Any]:
        """Return the fields that switch reasoning on or off on this kind of server. If a server refuses a field by
        name, it does not get the field again (`ServerDialect`). Most other servers ignore unknown fields."""
        if self._is_ollama:
            # Ollama does not hand `chat_template_kwargs` to its templates. It has `reasoning_effort`, which the options
            # of a call that thinks already contain.
            return {} if call.thinks else {"reasoning_effort": "none"}
        # vLLM, SGLang and llama.cpp hand this field to the chat template; templates ignore names that they do not use.
        given = call.options.get(_TEMPLATE_FIELD) or {}
        return {_TEMPLATE_FIELD: {"enable_thinking": call.thinks, **given}}

    async def _answer_within_limits(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield an answer. If the client's limit on the answer is larger than the available room, the call is repeated
        with a limit that fits, or with none if the room is unknown. Many programs always set the same limit, so
        refusing it would not help them."""
        max_tokens: int | None = call.options.get("max_tokens") if call.is_the_clients else None
        note: str | None = None
        while True:
            begun = False
            try:
                async with contextlib.aclosing(self._answer_by_schema(call)) as events:
                    async for event in events:
                        begun = True
                        if isinstance(event, Done):
                            context = self._abilities.context_tokens if self._abilities else None
                            note = note or lowered_by_context(max_tokens, context, event.prompt_tokens)
                            event = event.noting(note)
                        yield event
                return
            except (ContextOverflow, AnswerTooLong) as refused:
                if (
                    begun
                    or max_tokens is None
                    or note
                    or (shortened := _with_lower_limit(call, max_tokens, refused)) is None
                ):
                    raise
                call = shortened
                note = lowered(max_tokens, shortened.options.get("max_tokens"))

    async def _answer_by_schema(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield an answer. If the server cannot decode under the call's schema, any JSON object is requested. This may
        suffice, because the prompt contains the schema, and the answer is checked against it."""
        tries = [call]
        if (call.response_format or {}).get("type") == "json_schema":
            tries.append(replace(call, response_format={"type": "json_object"}))
        refusal: LlmRefused | None = None
        for tried in tries:
            begun = False
            try:
                async with contextlib.aclosing(self._stream(tried, AGENT)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except LlmRefused as refused:
                if begun or isinstance(refused, ContextOverflow | AnswerTooLong):
                    raise
                # If a call is refused both with and without its schema, the schema is not the cause. The first refusal
                # is then the clearer one.
                refusal = refusal or refused
        assert refusal is not None
        raise refusal

    async def _stream(self, call: LlmCall, agent: str) -> AsyncGenerator[LlmEvent, None]:
        first_byte_by = asyncio.get_running_loop().time() + self._http.patience.first_byte_s
        # An answer that nobody reads while it is written can still be divided at its end.
        holds = call.thinks in self._unopened and not call.is_for_the_end
        reader = ChunkReader(joins=call.is_for_the_end, holds=holds, on_written=call.on_written)
        begun = False
        try:
            if self._model is None:
                await self._listed_model()
            body = _body(call, self.name) | self._thinking_fields(call)
            with self._recording_outage():
                response = await self._http.chat(body, agent, first_byte_by)
            # The stream is closed explicitly, because the garbage collector would close the connection only after the
            # caller has left.
            async with contextlib.aclosing(self._documents(response, reader, first_byte_by)) as arrivals:
                async for documents in arrivals:
                    for start in range(0, len(documents), _DOCUMENTS_AT_ONCE):
                        for event in reader.read(documents[start : start + _DOCUMENTS_AT_ONCE]):
                            begun = True
                            yield event
                        # A caller may hold back events, and some chunks contain none.
                        await asyncio.sleep(0)
            (self._unopened.add if reader.lacks_opening_tag else self._unopened.discard)(call.thinks)
            left_out = self._options_left_out(call)
            for event in reader.close():
                yield event.noting(left_out) if isinstance(event, Done) else event
        except LlmError as error:
            error.host = self._http.url.host
            if error.reason.startswith(BROKEN_CONNECTION):
                # With an outage recorded, `app.monitoring.watching` checks whether the server can be reached again.
                self._outage = error.public
            if begun and not isinstance(error, LlmBroke):
                broke = LlmBroke(f"In the middle of its answer: {error}", reason=error.reason)
                broke.host = error.host
                raise broke from error
            if begun:
                error.public = type(error).public
            raise

    async def _documents(
        self, response: httpx.Response, reader: ChunkReader, first_byte_by: float
    ) -> AsyncGenerator[list[bytes], None]:
        """Yield the JSON of the chunks until the answer is complete. Chunks that arrive together are in one list.
        Raises LlmBroke if the body ends before that, and LlmNotSetUp if it is something other than an answer."""
        content_type = response.headers.get("content-type")
        parser: BodyParser = WholeBody() if media_type_of(content_type) == "application/json" else EventStreamParser()
        is_empty, said_something = True, False
        try:
            async with contextlib.aclosing(self._http.body(response, first_byte_by)) as pieces:
                try:
                    async for piece in pieces:
                        is_empty = is_empty and not piece
                        if is_page(content_type):
                            break
                        documents = parser.feed(piece)
                        if STREAM_END in documents:
                            yield documents[: documents.index(STREAM_END)]
                            await self._drain(pieces)
                            return
                        if documents:
                            said_something = True
                            yield documents
                except LlmBroke:
                    # A whole answer is kept, because only its token counts can be missing.
                    if not reader.is_whole:
                        raise
            last = [] if is_empty else parser.close()
        except EventTooLong:
            raise LlmBroke(
                "The LLM server sends events that are larger than any answer.", reason="an endless event"
            ) from None
        if not (last or said_something):
            raise error_without_answer(content_type, is_empty=is_empty)
        yield last
        if not reader.is_whole:
            public = NO_COMPLETION if reader.is_empty else None
            raise LlmBroke(
                "The LLM server's answer ended halfway.", reason="an answer that ended halfway", public=public
            )

    async def _drain(self, pieces: AsyncGenerator[bytes, None]) -> None:
        """Read to the end of the body. Only then can the connection be used again."""
        with contextlib.suppress(TimeoutError, LlmBroke):
            async with asyncio.timeout(self._http.patience.drain_s):
                async for _ in pieces:
                    pass

    @contextlib.contextmanager
    def _recording_outage(self) -> Iterator[None]:
        """Record whether the server could be reached."""
        try:
            yield
        except LlmUnavailable as error:
            # Only LlmUnavailable itself is an outage. Its subclasses are errors of a server that was reached, but is
            # slow or not set up.
            self._outage = error.public if type(error) is LlmUnavailable else None
            raise
        except LlmError:
            self._outage = None
            raise
        self._outage = None

    async def _probe(self) -> Abilities:
        with self.counters.failing():
            return await self._determine_abilities()

    async def _determine_abilities(self) -> Abilities:
        if self._known.keys() == ABILITIES:
            self._abilities = Abilities(**self._known)
        else:
            patience = self._http.patience
            try:
                listed = await self._listed_if_needed()
                self._abilities = await find_abilities(
                    self._known, listed, self.name, self._request_json, self._ask_model, patience
                )
            except LlmError as error:
                error.host = self._http.url.host
                raise
        return self._abilities

    async def _listed_if_needed(self) -> Mapping[str, Any]:
        """Return the list's entry for the model. The result may be empty if the model's name is set, because some API
        keys do not permit listing models."""
        if self._model is None:
            return await self._listed_model()
        try:
            async with asyncio.timeout(self._http.patience.question_s):
                return await self._listed_model()
        except (LlmError, TimeoutError) as error:
            if type(error) is LlmUnavailable:
                # The error is raised, so that the list is requested again later. The list states the model's context,
                # which must not stay unknown just because the server started late.
                raise
        return {}

    async def _listed_model(self) -> Mapping[str, Any]:
        """Return the entry for the model in the server's list, and remember it. The result is empty if the list has no
        such entry."""
        return await self._listing.join() if self._listed is None else self._listed

    async def _list_models(self) -> Mapping[str, Any]:
        with self._recording_outage():
            found = await self._http.request_json("GET", self._models_url)
        entries = [entry for entry in _entries(found) if self._model in (None, entry.get("id"))]
        if self._model is None and not entries:
            raise LlmNotSetUp(
                "The LLM server lists no models: set OPENFAZE_LLM_MODEL, if OPENFAZE_LLM_BASE_URL is right.",
                reason="no models listed",
            )
        self._listed = entries[0] if entries else {}
        self._model = self._model or str(self._listed["id"])
        return self._listed

    async def _request_json(self, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._http.patience.question_s):
                found = await self._http.request_json(method, beside_api(self._http.url, path), body)
        except (LlmError, TimeoutError):
            # A failure is ignored, because not every kind of server has this path. If the server has a fault, the
            # questions to the model will reveal it.
            return {}
        return found if isinstance(found, dict) else {}

    def _ask_model(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        return self._stream(call, PROBING_AGENT)


def _with_lower_limit(call: LlmCall, max_tokens: int, refused: ContextOverflow | AnswerTooLong) -> LlmCall | None:
    """Return the call with a limit that fits into the available room, or with no limit if the room is unknown. Return
    None if no smaller limit can help, for instance because the prompt alone is too long."""
    if isinstance(refused, AnswerTooLong):
        room: int | None = refused.most
    else:
        # Most servers report the sum of prompt and answer.
        reported, limit = refused.prompt_tokens, refused.limit
        room = None if reported is None or limit is None or reported <= max_tokens else limit - (reported - max_tokens)
    if room is not None and not 0 < room < max_tokens:
        return None
    other_options = {name: value for name, value in call.options.items() if name != "max_tokens"}
    return replace(call, options=other_options if room is None else {**other_options, "max_tokens": room})


def _body(call: LlmCall, model: str) -> dict[str, Any]:
    body = {**call.options, "model": model, "messages": call.messages, "stream": True}
    body["stream_options"] = {"include_usage": True}
    if call.tools:
        body["tools"] = call.tools
    if call.tool_choice is not None:
        body["tool_choice"] = call.tool_choice
    if call.response_format is not None:
        body["response_format"] = call.response_format
    return body


def _entries(found: object) -> list[dict[str, Any]]:
    entries = found.get("data") if isinstance(found, dict) else None
    return [entry for entry in entries or () if isinstance(entry, dict) and "id" in entry]
