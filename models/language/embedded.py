"""An LLM in this process: a GGUF on llama.cpp.

At temperature 0, or with a `seed`, a call always gives the same answer on the same processor, regardless of other calls
that run at the same time.

llama.cpp decodes simultaneous calls in one batch, and the other calls of the batch determine the order in which it adds
the numbers of a call. This changes the last bits of the numbers, and thus the answer if two words are nearly equally
likely. A call that must give the same answer each time therefore has a batch to itself.

A small model is opened once for each call that may run at the same time, and calls never share a batch. Such a model
spends its time on arithmetic, which batches would not reduce; its weights are in memory only once, since they are
mapped; and the operating system gives each answer its turn on the cores, so that a short answer does not wait for long
ones.

A large model spends its time on reading its weights, which a batch reads only once for all its calls. Such a model is
opened once, and a call that must give the same answer each time waits until no other call runs.
"""

import asyncio
import contextlib
import contextvars
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from models.base import EngineOverloaded, available_cpus
from models.hosts.measures import RELOAD, EngineCounters
from models.language.embedded_answer import GrammarIgnored, NativeAnswer
from models.language.embedded_request import NativeRequest, count_characters, is_reproducible, native_request
from models.language.embedded_seats import LlamaServers, Seat
from models.language.embedded_server import LlamaServer, ServerOptions
from models.language.llm import (
    Abilities,
    ContextOverflow,
    Done,
    LlmCall,
    LlmEvent,
    LlmNotSetUp,
    LlmOverloaded,
    LlmUnavailable,
    estimate_tokens,
    lowered_by_context,
)
from models.queues.slots import Slots

log = structlog.get_logger(__name__)

SMALL_BYTES = 256_000_000
"""A model whose file has at most this many bytes is opened once for each call that runs at the same time."""

LONGEST_TOKEN = 256
"""A token has at most this many characters. The longest token in the vocabularies of open models is 128 spaces."""

PARALLEL_SMALL = 10
"""A model of at most SMALL_BYTES answers this many calls at a time, unless a setting states another number."""

PARALLEL_LARGE = 4
"""A larger model answers this many calls at a time, unless a setting states another number."""


@dataclass(slots=True)
class LlmCounters(EngineCounters):
    cancelled: int = 0
    loosened: int = 0
    """Number of answers under a looser grammar, because the grammar of their schema did not compile."""


class EmbeddedLlm:
    """The model in the file `gguf`, for the coroutines of one event loop. It is loaded at its first use.

    `context_tokens` bounds prompt and answer of one call; memory is needed for `parallel` times that number of tokens.
    `max_tokens` bounds an answer whose call sets no limit. With `parallel` None, the model's size determines the number
    of simultaneous calls. With 0 `threads`, half of the CPUs are used, because llama.cpp's threads wait for each other
    by spinning, and one thread more than there are idle CPUs makes llama.cpp several times slower. For a small model,
    the threads are divided among the calls.
    """

    def __init__(
        self,
        gguf: Path,
        *,
        context_tokens: int = 4096,
        max_tokens: int = 512,
        parallel: int | None = None,
        threads: int = 0,
        n_gpu_layers: int = -1,
        max_queue: int = 64,
        idle_unload_s: float | None = None,
        chat_template: str | None = None,
        is_capable: bool = True,
    ) -> None:
        self._gguf = gguf
        self._is_capable = is_capable
        apart = gguf.is_file() and gguf.stat().st_size <= SMALL_BYTES
        parallel = parallel or (PARALLEL_SMALL if apart else PARALLEL_LARGE)
        threads = threads or max(1, available_cpus() // 2)
        self._options = ServerOptions(
            context_tokens,
            parallel=1 if apart else parallel,
            threads=max(1, threads // parallel) if apart else threads,
            n_gpu_layers=n_gpu_layers,
            chat_template=chat_template,
        )
        self._max_tokens = max_tokens
        self._idle_unload_s = idle_unload_s
        self.counters = LlmCounters()
        self._slots = Slots("llm", parallel, max_queue)
        self._servers = LlamaServers(self._open, self._in_thread, parallel, apart=apart)
        self._users = 0
        self._answers: set[NativeAnswer] = set()
        # One thread is for loading and unloading, in addition to the threads that chats hold.
        self._threads = ThreadPoolExecutor(parallel + 1, thread_name_prefix="llm")
        self._idle_timer: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Task[bool] | None = None
        self._closed = False
        self._broken: str | None = None

    @property
    def name(self) -> str:
        return self._gguf.stem

    async def model(self) -> str:
        return self.name

    @property
    def is_capable(self) -> bool:
        return self._is_capable

    @property
    def loaded(self) -> bool:
        return self._servers.one is not None

    @property
    def healthy(self) -> bool:
        """Always True: a model that does not load is tried again at the next call."""
        return True

    @property
    def broken(self) -> str | None:
        return self._broken

    @property
    def queued(self) -> int:
        return self._slots.waiting

    @property
    def running(self) -> int:
        """Number of answers that llama.cpp is working on. A cancelled answer counts until llama.cpp has stopped it."""
        return len(self._answers)

    def busy_slots(self) -> int:
        """Number of answers that llama.cpp itself counts. The call blocks for about a millisecond."""
        return self._servers.busy_slots()

    async def abilities(self) -> Abilities:
        """Return the model's abilities, loading the model first. A forced call works even without the ability `tools`.
        With the tool choice `auto`, a model whose template does not support tools answers with text."""
        with self._in_use(), self.counters.failing():
            server = await self._servers.load()
        tools = server.template.calls_tools
        return Abilities(tools=tools, json_schema=True, context_tokens=server.context_tokens)

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer, like `Llm.stream`, once a slot is free. Raises LlmOverloaded if too many calls wait
        already."""
        try:
            async with contextlib.aclosing(self._answer(call, loosened=False)) as events:
                async for event in events:
                    yield event
        except GrammarIgnored:
            self.counters.loosened += 1
            log.warning("llm_grammar_ignored", llm=self.name)
            async with contextlib.aclosing(self._answer(call, loosened=True)) as events:
                async for event in events:
                    yield event

    def check_room(self) -> None:
        with self._as_llm_overload():
            self._slots.check_room()

    def count_tokens(self, text: str) -> int:
        """Number of tokens of `text`: exact while the model is loaded (takes about a millisecond), else estimated."""
        if (server := self._servers.one) is not None:
            with contextlib.suppress(OSError):  # the model is being unloaded right now
                return server.count_tokens(text)
        return estimate_tokens(text)

    async def load(self) -> None:
        """Load the model. Raises LlmUnavailable."""
        await self.abilities()

    async def unload(self) -> bool:
        """Free the model. Do nothing, and return False, if it is not loaded, or while a caller uses it."""
        unloaded = await self._servers.unload(lambda: not self._users)
        if unloaded:
            self.counters.unloads += 1
            log.info("llm_unloaded", llm=self.name)
        return unloaded

    async def close(self) -> None:
        """Cancel the running answers, refuse the waiting calls, and free the model permanently."""
        self._closed = True
        self._cancel_idle_timer()
        for answer in self._answers:
            answer.cancel()
        while self._answers:
            await asyncio.wait([answer.ended for answer in self._answers])
        await self._servers.close()
        self._threads.shutdown(wait=False)

    async def _answer(self, call: LlmCall, *, loosened: bool) -> AsyncGenerator[LlmEvent, None]:
        seat, leave = await self._take_seat(alone=is_reproducible(call.options))
        try:
            request = await self._in_thread(partial(self._request, call, seat.server))
            if self._closed:
                raise LlmUnavailable("The server is shutting down.")
            answer = self._start(seat, request.loosened() if loosened else request, leave, call.on_written)
        except BaseException:
            leave()
            raise
        try:
            async with contextlib.aclosing(answer.events()) as events:
                with self.counters.answering():
                    async for event in events:
                        if isinstance(event, Done):
                            max_tokens = call.options.get("max_completion_tokens") or call.options.get("max_tokens")
                            note = lowered_by_context(max_tokens, seat.server.context_tokens, event.prompt_tokens)
                            event = event.noting(note)
                        yield event
        finally:
            answer.cancel()

    def _request(self, call: LlmCall, server: LlamaServer) -> NativeRequest:
        """Return the request for `call`. This takes long for long texts. Raises ContextOverflow before any text is
        made if there are more messages than the context has tokens, or more characters than its tokens can have."""
        context = server.context_tokens
        # llama.cpp would need 40 times the memory of the text, half a second of a processor per megabyte, and half a
        # millisecond per message, to find out that it has too many tokens. It would not stop for a caller that leaves
        # meanwhile. Each message has a token at its end.
        if len(call.messages) > context or count_characters(call, server.template) > LONGEST_TOKEN * context:
            raise ContextOverflow(None, context)
        # A string may have half as many characters as the context has tokens. This usually leaves room for the rest
        # even if the model never ends the string.
        return native_request(call, server.template, context // 2, self._max_tokens)

    def _start(
        self,
        seat: Seat,
        request: NativeRequest,
        leave: Callable[[], None],
        on_written: Callable[[str], None] | None,
    ) -> NativeAnswer:
        answer = NativeAnswer(seat.server, request, self._threads, on_written)
        self._answers.add(answer)

        def settle(_ended: object) -> None:
            self._answers.discard(answer)
            self.counters.cancelled += answer.was_cancelled
            leave()

        answer.ended.add_done_callback(settle)
        return answer

    async def _take_seat(self, *, alone: bool) -> tuple[Seat, Callable[[], None]]:
        """Return a seat, and the function that gives it up. Raises LlmOverloaded and LlmUnavailable."""
        with contextlib.ExitStack() as held:
            held.enter_context(self._in_use())
            with self._as_llm_overload():
                await self._slots.take()
            held.callback(self._slots.give_back)
            seat = await self._servers.take(alone=alone)
            held.callback(self._servers.leave, seat)
            return seat, held.pop_all().close

    @contextlib.contextmanager
    def _as_llm_overload(self) -> Iterator[None]:
        try:
            yield
        except EngineOverloaded as error:
            raise LlmOverloaded(str(error), error.retry_after) from error

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        """Keep the model from being unloaded."""
        self._users += 1
        self._cancel_idle_timer()
        try:
            yield
        finally:
            self._users -= 1
            self._start_idle_timer()

    def _open(self) -> LlamaServer:
        started = time.perf_counter()
        try:
            server = LlamaServer(self._gguf, self._options)
        except LlmNotSetUp as error:
            self._broken = str(error)
            raise
        self._broken = None
        if self._servers.one is None:
            self.counters.failures[RELOAD] += self.counters.loads > 0
            self.counters.loads += 1
        ms = round((time.perf_counter() - started) * 1000)
        log.info("llm_loaded", llm=self.name, ms=ms, contexts=len(self._servers) + 1)
        return server

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _start_idle_timer(self) -> None:
        if self._idle_unload_s is None or self._users or self._closed or self._servers.one is None:
            return
        self._cancel_idle_timer()
        # The timer outlives the request that starts it, so it must not inherit the request's logging context.
        self._idle_timer = asyncio.get_running_loop().call_later(
            self._idle_unload_s, self._unload_when_idle, context=contextvars.Context()
        )

    def _unload_when_idle(self) -> None:
        self._unloading = asyncio.create_task(self.unload())
