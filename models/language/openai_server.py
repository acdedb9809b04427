"""An OpenAI-compatible server as the LLM: vLLM, SGLang, llama.cpp, Ollama, LM Studio, or a hosted one."""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from models.concurrency import SharedRun
from models.hosts.measures import EngineCounters
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
    LlmLate,
    LlmModelUnknown,
    LlmNotSetUp,
    LlmRefused,
    LlmUnavailable,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    lowered,
)
from models.language.openai_answer import AnswerReader, call_in
from models.language.openai_http import AGENT, BROKEN_CONNECTION, NO_CONNECTION, OpenAiHttp, ServerPatience
from models.language.openai_probe import ABILITIES, CONTEXT_FIELDS, KnownAbilities, find_abilities, stated_abilities
from models.queues import Slots

_OLLAMA_OWNER = "library"
"""Owner of every model in the list of an Ollama server."""
_TEMPLATE_FIELD = "chat_template_kwargs"
ASK_AGAIN_S = 120.0
"""A server's statements about its model are requested again after this time, in seconds, because an operator may start
it with another model. The request costs no tokens."""
_IDENTIFYING = ("id", "owned_by", "root", "meta", *CONTEXT_FIELDS)
"""Fields of a model's entry in the list that change with the model. `root` (vLLM, SGLang) and `meta` (llama.cpp)
describe the weights that have a name."""
_NO_EFFECT = "The language model's server does not take these fields, which had no effect:"
_NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}

PROBING_AGENT = f"{AGENT} (probe)"
"""User agent of the calls that test what the server can do. It distinguishes these calls from clients' calls."""


class OpenAiServer:
    """An LLM on a server. Implements models.language.llm.Llm.

    `base_url` may omit the `/v1`. If `model` is None, the first model that the server lists is used. `abilities` are
    those that the operator stated; the server is asked for the others. What is known of the server is asked again from
    time to time, and when the server does not know the model or could not be reached. At most `at_once` calls run at a
    time, shared fairly among the keys; up to four times as many calls wait. An object of this class belongs to the
    event loop in which it is first used.
    """

    is_capable = True
    """Always True, because the operator chose the model."""
    healthy = True
    """Always True, because nothing in this object can break permanently, and each call shows the server's state."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        model: str | None = None,
        *,
        abilities: KnownAbilities | None = None,
        patience: ServerPatience | None = None,
        at_once: int = 256,
    ) -> None:
        self._slots = Slots("llm", at_once, 4 * at_once)
        self.counters = EngineCounters()
        self._http = OpenAiHttp(base_url, api_key, patience or ServerPatience())
        self._models_url = self._http.url.copy_with(path=f"{self._http.url.path}/models")
        self._model = self._set_model = model
        self._known = abilities or KnownAbilities()
        self._abilities: Abilities | None = None
        self._stated: object = None
        """The server's statements about the model whose abilities are `_abilities`."""
        self._unopened: set[bool] = set()
        """Values of `LlmCall.thinks` whose last answer had reasoning without an opening tag. The next such answer is
        held back until its reasoning has ended."""
        self._always_reasons = False
        """True once an answer was cut because the model reasoned although reasoning was switched off."""
        self._listed: Mapping[str, Any] | None = None
        self._ask_again_at = -math.inf
        """Time at which the server's statements are requested again, on the event loop's clock."""
        self._listing = SharedRun(self._list_models)
        self._probing = SharedRun(self._probe)

    @property
    def name(self) -> str:
        return self._model or f"the first model at {self._http.url.host}"

    async def identity(self) -> object:
        listed = await self._listed_if_needed()
        return self.name, _identity(listed)

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
    def broken(self) -> str | None:
        """Reason why the server could not be reached at the last try, and a remedy; None if it could be reached."""
        return self._http.outage

    async def load(self) -> None:
        await self.abilities()

    async def check(self) -> None:
        """Check, at no cost, that the server can be reached, by requesting only its list of models. Raises
        LlmUnavailable if it cannot."""
        try:
            await self._http.json("GET", self._models_url)
        except LlmError:
            # An error without an outage is an answer of the server, so the server can be reached.
            if self.broken is not None:
                raise

    async def abilities(self) -> Abilities:
        """Return the abilities, which are determined for all callers together. If that fails and none are known, all
        waiting callers get the LlmError, and the next caller tries again."""
        if (known := self._abilities) is None:
            return await self._probing.join()
        if self._is_due and self._known.keys() != ABILITIES:
            with contextlib.suppress(LlmError):
                return await self._probing.join()
        return known

    def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        if _forced_functions(call):
            return self._forced_call(call)
        return self._answer(call, self._turn()) if call.is_the_clients else self._own_question(call)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None, None]:
        """Wait for the turn of a call, and measure how long it takes."""
        async with self._slots.slot():
            with self.counters.answering():
                yield

    def check_room(self) -> None:
        self._slots.check_room()

    async def close(self) -> None:
        await self._probing.stop()
        await self._listing.stop()
        await self._http.close()

    async def _forced_call(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield an answer that must be a call. A server that calls no functions by itself may also accept a
        `tool_choice` and silently ignore it, as Ollama does for all models. It is asked for the call as JSON under a
        schema, which nearly all servers observe."""
        functions = _forced_functions(call)
        async with self._turn():
            abilities = await self.abilities()
            if (abilities.tools or not abilities.json_schema) and not self._is_ollama:
                # Only the forced tools are sent, because llama.cpp treats a choice that names a function as `auto`.
                forced = replace(call, tools=[tool for tool in call.tools if tool["function"] in functions])
                async with contextlib.aclosing(self._answer(forced)) as events:
                    async for event in events:
                        yield event
                return
            text, is_refused = "", False
            async with contextlib.aclosing(self._answer(_with_call_schema(call, functions))) as events:
                async for event in events:
                    if isinstance(event, TextDelta) and not event.is_refusal:
                        text += event.text
                        continue
                    is_refused = is_refused or isinstance(event, TextDelta)
                    if isinstance(event, Done) and not is_refused:
                        is_whole = event.finish_reason == "stop"
                        for piece in call_in(text, is_whole=is_whole):
                            yield piece
                        event = replace(event, finish_reason="tool_calls") if is_whole else event
                    yield event

    async def _own_question(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer to a question of openfaze's own. If the answer is cut while the model is still reasoning,
        the question is repeated with room for the reasoning, and all later questions get this room from the start."""
        async with self._turn():
            for has_room in (True,) if self._always_reasons else (False, True):
                asked = self._with_thinking_room(call) if has_room else call
                has_reasoned = has_answered = False
                async with contextlib.aclosing(self._answer(asked)) as events:
                    async for event in events:
                        is_cut = isinstance(event, Done) and event.finish_reason == "length"
                        if is_cut and has_reasoned and not (has_answered or has_room):
                            self._always_reasons = True
                            break
                        has_reasoned = has_reasoned or isinstance(event, ReasoningDelta)
                        has_answered = has_answered or isinstance(event, TextDelta | ToolCallDelta)
                        yield event
                    else:
                        return

    def _with_thinking_room(self, call: LlmCall) -> LlmCall:
        """Return the call with additional tokens for a model whose reasoning cannot be switched off."""
        limit = call.options.get("max_tokens")
        if limit is None:
            return call
        context = self._abilities.context_tokens if self._abilities else None
        room = THINKING_TOKENS if context is None else min(THINKING_TOKENS, context // 4)
        return replace(call, options={**call.options, "max_tokens": limit + room})

    async def _answer(
        self, call: LlmCall, turn: AbstractAsyncContextManager[None] | None = None
    ) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer to the call, or to the first simpler form of it that the server accepts. `turn` is the turn
        that the call has to wait for; None if it has it."""
        form: LlmCall | None = call
        first: LlmRefused | None = None
        may_have_moved = self._set_model is None
        async with turn or contextlib.nullcontext():
            while form is not None:
                has_begun, model = False, self._model
                try:
                    async with contextlib.aclosing(self._stream(form)) as events:
                        async for event in events:
                            has_begun = True
                            yield self._noting_limit(event, call, form) if isinstance(event, Done) else event
                    return
                except LlmRefused as refused:
                    if has_begun:
                        raise
                    # If simpler forms are refused, too, the first refusal is the clearest.
                    first = first or refused
                    form = _simpler(form, refused)
                except LlmModelUnknown:
                    # The answer has not begun, because later errors are LlmBroke.
                    if not may_have_moved or not await self._has_moved(model):
                        raise
                    may_have_moved = False
        assert first is not None
        raise first

    def _noting_limit(self, done: Done, call: LlmCall, form: LlmCall) -> Done:
        """Return the end of a client's answer with a note if its limit is larger than the context has room for."""
        limit = call.options.get("max_tokens") if call.is_the_clients else None
        context = self._abilities.context_tokens if self._abilities else None
        if limit is None:
            return done
        if context is not None and done.prompt_tokens is not None:
            room = max(0, context - done.prompt_tokens)
            return done.noting(lowered(limit, room)) if room < limit else done
        return done.noting(lowered(limit, None)) if "max_tokens" not in form.options else done

    async def _stream(self, call: LlmCall, agent: str = AGENT) -> AsyncGenerator[LlmEvent, None]:
        first_byte_by = asyncio.get_running_loop().time() + self._http.patience.first_byte_s
        reader = AnswerReader(holds=call.thinks in self._unopened, on_written=call.on_written)
        has_begun = False
        try:
            if self._set_model is None:
                await self._listed_model()
            documents = self._http.documents(self._body(call), agent, first_byte_by)
            try:
                async with contextlib.aclosing(documents):
                    async for arrived in documents:
                        for event in reader.read(arrived):
                            has_begun = True
                            yield event
                        if reader.failure is not None:
                            raise reader.failure
            except LlmBroke:
                # A whole answer is kept, because only its token counts can be missing.
                if not reader.is_whole:
                    raise
            (self._unopened.add if reader.lacks_opening_tag else self._unopened.discard)(call.thinks)
            left_out = self._options_left_out(call)
            for event in reader.close():
                yield event.noting(left_out) if isinstance(event, Done) else event
        except LlmError as error:
            error.host = self._http.url.host
            if isinstance(error, LlmModelUnknown) or error.reason.startswith(NO_CONNECTION):
                # When the server answers again, it may have another model, or have been started with other options.
                self._abilities, self._ask_again_at = None, -math.inf
            if error.reason.startswith(BROKEN_CONNECTION):
                # With an outage recorded, `app.monitoring.watching` checks whether the server can be reached again.
                self._http.outage = error.public
            if has_begun and not isinstance(error, LlmBroke):
                broke = LlmBroke(f"In the middle of its answer: {error}", reason=error.reason)
                broke.host = error.host
                raise broke from error
            if has_begun:
                error.public = type(error).public
            raise

    def _body(self, call: LlmCall) -> dict[str, Any]:
        body = {**call.options, "model": self.name, "messages": call.messages, "stream": True}
        body["stream_options"] = {"include_usage": True}
        if call.tools:
            body["tools"] = call.tools
        if call.tool_choice is not None:
            body["tool_choice"] = call.tool_choice
        if call.response_format is not None:
            body["response_format"] = call.response_format
        if not self._is_ollama:
            # vLLM, SGLang and llama.cpp hand this field to the chat template; templates ignore names that they do not
            # use. If a server refuses a field by name, it does not get the field again (`ServerDialect`).
            given = call.options.get(_TEMPLATE_FIELD) or {}
            body[_TEMPLATE_FIELD] = {"enable_thinking": call.thinks, **given}
        elif not call.thinks:
            # Ollama does not hand `chat_template_kwargs` to its templates.
            body["reasoning_effort"] = "none"
        return body

    def _options_left_out(self, call: LlmCall) -> str | None:
        """Return a note on the client's options that have no effect at this server, if any."""
        if not call.is_the_clients:
            return None
        names = self._http.dialect.options_left_out(call.options)
        if self._is_ollama and _TEMPLATE_FIELD in call.options:
            names.append(_TEMPLATE_FIELD)
        return f"{_NO_EFFECT} {', '.join(names)}." if names else None

    @property
    def _is_ollama(self) -> bool:
        return (self._listed or {}).get("owned_by") == _OLLAMA_OWNER

    @property
    def _is_due(self) -> bool:
        """True if the server's statements are to be requested again."""
        return asyncio.get_running_loop().time() >= self._ask_again_at

    async def _probe(self) -> Abilities:
        """Determine the abilities. The model is asked questions only if the server's statements have changed, because
        questions cost tokens, and a busy server may leave one unanswered."""
        with self.counters.failing():
            if self._known.keys() == ABILITIES:
                self._abilities = Abilities(**self._known)
                return self._abilities
            listed = await self._listed_if_needed()
            stated = await stated_abilities(listed, self.name, self._http)
            if self._abilities is None or (stated and stated != self._stated):
                self._abilities = await find_abilities({**stated, **self._known}, self._http, self._ask)
                self._stated = stated
            return self._abilities

    def _ask(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        return self._stream(call, PROBING_AGENT)

    async def _listed_if_needed(self) -> Mapping[str, Any]:
        """Return the list's entry for the model. The result may be empty if the model's name is set, because some API
        keys do not permit listing models."""
        try:
            return await self._listed_model()
        except LlmError as error:
            if self._model is None or type(error) is LlmUnavailable:
                # A server that is away is asked again later. The list states the model's context, which must not stay
                # unknown just because the server started late.
                raise
        self._wait_to_ask_again()
        return {}

    async def _listed_model(self) -> Mapping[str, Any]:
        """Return the entry for the model in the server's list, as it was at most ASK_AGAIN_S ago. The result is empty
        if the list has no such entry. If the list cannot be had again, the last one counts."""
        if self._is_due:
            try:
                return await self._listing.join()
            except LlmError as error:
                if self._listed is None:
                    raise
                if not error.reason.startswith(NO_CONNECTION):
                    self._wait_to_ask_again()
        return self._listed or {}

    def _wait_to_ask_again(self) -> None:
        self._ask_again_at = asyncio.get_running_loop().time() + ASK_AGAIN_S

    async def _has_moved(self, model: str | None) -> bool:
        """Return True if calls go to another model than `model` now, for which the list is requested again."""
        if self._model == model:
            self._ask_again_at = -math.inf
            with contextlib.suppress(LlmError):
                await self._listed_model()
        return self._model != model

    async def _list_models(self) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._http.patience.question_s if self._model else None):
                found = await self._http.json("GET", self._models_url)
        except TimeoutError:
            raise LlmLate("The LLM server did not list its models in time.") from None
        entries = found.get("data") if isinstance(found, dict) else None
        entries = [entry for entry in entries or () if isinstance(entry, dict) and "id" in entry]
        if self._set_model is None and not entries:
            raise LlmNotSetUp(
                "The LLM server lists no models: set OPENFAZE_LLM_MODEL, if OPENFAZE_LLM_BASE_URL is right.",
                reason="no models listed",
            )
        # The model stays the same as long as it is listed: Ollama lists the newest first.
        same = [entry for entry in entries if entry["id"] == self._model]
        listed = same[0] if same else entries[0] if self._set_model is None else {}
        if self._listed is not None and _identity(listed) != _identity(self._listed):
            self._abilities, self._always_reasons = None, False
            self._unopened.clear()
        self._wait_to_ask_again()
        self._listed, self._model = listed, self._set_model or str(listed["id"])
        return listed


def _identity(listed: Mapping[str, Any]) -> Sequence[object]:
    """Return what the entry of a server's list says about which model it is."""
    return [listed.get(name) for name in _IDENTIFYING]


def _simpler(call: LlmCall, refused: LlmRefused) -> LlmCall | None:
    """Return a form of a refused call that the server may accept, or None.

    A client's limit on the answer is left out if there is no room for so many tokens: many programs always set the same
    limit, so refusing it would not help them. If the server cannot decode under a schema, any JSON object is requested.
    This may suffice, because the prompt contains the schema, and the answer is checked against it.
    """
    if isinstance(refused, ContextOverflow | AnswerTooLong):
        if not call.is_the_clients or "max_tokens" not in call.options:
            return None
        return replace(call, options={name: value for name, value in call.options.items() if name != "max_tokens"})
    if (call.response_format or {}).get("type") == "json_schema":
        return replace(call, response_format={"type": "json_object"})
    return None


def _forced_functions(call: LlmCall) -> Sequence[Mapping[str, Any]]:
    """Return the functions of which one must be called; empty if the call may be answered with text."""
    functions = [tool["function"] for tool in call.tools]
    match call.tool_choice:
        case "required":
            return functions
        case {"function": {"name": name}}:
            return [function for function in functions if function["name"] == name]
        case _:
            return []


def _with_call_schema(call: LlmCall, functions: Sequence[Mapping[str, Any]]) -> LlmCall:
    """Return the call with a JSON schema in place of its tools: that of an object with a function's name and its
    arguments, which `call_in` reads."""
    calls = []
    for function in functions:
        members = {"name": {"const": function["name"]}, "arguments": function.get("parameters") or _NO_PARAMETERS}
        calls.append({"type": "object", "properties": members, "required": [*members], "additionalProperties": False})
    schema: dict[str, Any] = {"anyOf": calls}
    # References to definitions count from the root of the schema, so the definitions of every tool are moved there.
    for function in functions:
        for place in ("$defs", "definitions"):
            if isinstance(definitions := (function.get("parameters") or {}).get(place), Mapping):
                schema[place] = {**schema.get(place, {}), **definitions}
    shown = "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
    text = (
        "Answer with a call of one of these functions, as JSON with its name and its arguments. "
        f"Take the arguments from the conversation.\n{shown}"
    )
    form = {"name": "call", "schema": schema, "strict": False}
    return replace(
        call,
        messages=[*call.messages, {"role": "system", "content": text}],
        tools=(),
        tool_choice=None,
        response_format={"type": "json_schema", "json_schema": form},
        options={name: one for name, one in call.options.items() if name not in ("parallel_tool_calls", "stop")},
    )
