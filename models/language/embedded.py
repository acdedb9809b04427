"""An LLM in this process: a GGUF on llama.cpp.

Several calls are decoded side by side in one batch. At temperature 0 with a `seed` a call gives the same answer each
time it runs alone; in company its numbers are summed in other groupings, and a near tie may fall the other way.
"""

import asyncio
import contextlib
import contextvars
import gc
import math
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from models.device import available_cpus
from models.language.embedded_answer import GrammarIgnored, NativeAnswer
from models.language.embedded_request import NativeRequest, native_request
from models.language.embedded_server import LlamaServer, ServerOptions
from models.language.llm import (
    Abilities,
    LlmCall,
    LlmEvent,
    LlmOverloaded,
    LlmUnavailable,
)
from models.language.tokens import estimate_tokens
from models.shared_run import SharedRun

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class LlmCounters:
    """Since the process started."""

    answers: int = 0
    cancelled: int = 0
    rejected: int = 0
    loosened: int = 0
    """Answers under any JSON object, because their schema's grammar did not compile."""
    loads: int = 0
    unloads: int = 0
    busy_s: float = 0.0
    """Summed over the answers."""


class EmbeddedLlm:
    """Serves the model in `gguf` to the coroutines of one event loop; loads it at its first use.

    `context_tokens` is what one call may use, prompt and answer; memory for `parallel` times as many is taken.
    `threads` 0 takes half of the CPUs: llama.cpp's threads wait for each other by spinning, and one more than there
    are idle CPUs makes it several times slower.
    """

    def __init__(
        self,
        gguf: Path,
        *,
        context_tokens: int = 4096,
        parallel: int = 4,
        threads: int = 0,
        n_gpu_layers: int = -1,
        max_queue: int = 64,
        idle_unload_s: float | None = None,
        chat_template: str | None = None,
    ) -> None:
        self._gguf = gguf
        threads = threads or max(1, available_cpus() // 2)
        self._options = ServerOptions(context_tokens, parallel, threads, n_gpu_layers, chat_template)
        self._max_queue = max_queue
        self._idle_unload_s = idle_unload_s
        self.counters = LlmCounters()
        self._server: LlamaServer | None = None
        self._abilities: Abilities | None = None
        self._slots = asyncio.Semaphore(parallel)
        self._waiting = 0
        self._users = 0
        self._answers: set[NativeAnswer] = set()
        self._lifecycle = asyncio.Lock()
        # One beside those that a chat holds, for loading and unloading.
        self._threads = ThreadPoolExecutor(parallel + 1, thread_name_prefix="llm")
        self._idle_timer: asyncio.TimerHandle | None = None
        self._loading = SharedRun(self._load)
        self._unloading: asyncio.Task[bool] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        return self._gguf.stem

    @property
    def loaded(self) -> bool:
        return self._server is not None

    @property
    def healthy(self) -> bool:
        """A model that does not load is tried again at the next call."""
        return True

    @property
    def running(self) -> int:
        """Answers that llama.cpp works on; those just cancelled are among them until it has let go."""
        return len(self._answers)

    def busy_slots(self) -> int:
        """Answers that llama.cpp itself counts; blocks for about a millisecond."""
        return 0 if self._server is None else self._server.busy_slots()

    async def abilities(self) -> Abilities:
        """Loads the model at the first time. A call that is forced works whatever `tools` says; with `auto` a model
        whose template knows no tools answers in words."""
        if self._abilities is None:
            await self._enter()
            self._leave()
        assert self._abilities is not None
        return self._abilities

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """As `Llm.stream`. Waits for a slot; LlmOverloaded when too many wait already."""
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

    def count_tokens(self, text: str) -> int:
        """Exact while the model is loaded (about a millisecond), else the estimate."""
        if self._server is not None:
            with contextlib.suppress(OSError):  # it is being unloaded right now
                return self._server.count_tokens(text)
        return estimate_tokens(text)

    async def load(self) -> None:
        """Raises LlmUnavailable."""
        await self._loaded()

    async def unload(self) -> bool:
        """Frees the model. Does nothing, and returns False, while someone uses it."""
        async with self._lifecycle:
            if self._server is None or self._users:
                return False
            await self._drop()
            return True

    async def close(self) -> None:
        """Cancels what runs, refuses what waits, frees the model. Final."""
        self._closed = True
        self._cancel_idle_timer()
        for answer in self._answers:
            answer.cancel()
        while self._answers:
            await asyncio.wait([answer.ended for answer in self._answers])
        async with self._lifecycle:
            if self._server is not None:
                await self._drop()
        self._threads.shutdown(wait=False)

    async def _answer(self, call: LlmCall, *, loosened: bool) -> AsyncGenerator[LlmEvent, None]:
        server = await self._enter()
        try:
            # Room for several strings, even where the model brings none to an end.
            request = native_request(call, server.template, longest_string=server.context_tokens // 2)
            answer = self._start(server, request.loosened() if loosened else request)
        except BaseException:
            self._leave()
            raise
        try:
            async with contextlib.aclosing(answer.events()) as events:
                async for event in events:
                    yield event
        finally:
            answer.cancel()

    def _start(self, server: LlamaServer, request: NativeRequest) -> NativeAnswer:
        started = time.perf_counter()
        answer = NativeAnswer(server, request, self._threads)
        self._answers.add(answer)

        def settle(_ended: object) -> None:
            self._answers.discard(answer)
            self.counters.answers += 1
            self.counters.cancelled += answer.was_cancelled
            self.counters.busy_s += time.perf_counter() - started
            self._leave()

        answer.ended.add_done_callback(settle)
        return answer

    async def _enter(self) -> LlamaServer:
        """A slot of the loaded model, held until `_leave`. Raises LlmOverloaded and LlmUnavailable."""
        if self._slots.locked() and self._waiting >= self._max_queue:
            self.counters.rejected += 1
            raise LlmOverloaded(f"{self._waiting} calls wait for {self.name}.", self._retry_after())
        self._users += 1
        self._cancel_idle_timer()
        try:
            await self._slot()
            try:
                return await self._loaded()
            except BaseException:
                self._slots.release()
                raise
        except BaseException:
            self._users -= 1
            self._start_idle_timer()
            raise

    def _leave(self) -> None:
        self._slots.release()
        self._users -= 1
        self._start_idle_timer()

    async def _slot(self) -> None:
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1

    def _retry_after(self) -> int:
        """Seconds until the queue has drained, by the mean time of an answer so far."""
        each = self.counters.busy_s / max(1, self.counters.answers)
        return max(1, math.ceil(each * self._waiting / self._options.parallel))

    async def _loaded(self) -> LlamaServer:
        if self._server is not None and not self._closed:
            return self._server
        return await self._loading.join()

    async def _load(self) -> LlamaServer:
        async with self._lifecycle:
            if self._closed:
                raise LlmUnavailable("The server is shutting down.")
            if self._server is None:
                started = time.perf_counter()
                server = self._server = await self._in_thread(lambda: LlamaServer(self._gguf, self._options))
                self._abilities = Abilities(
                    tools=server.template.calls_tools, json_schema=True, context_tokens=server.context_tokens
                )
                self.counters.loads += 1
                log.info("llm_loaded", llm=self.name, ms=round((time.perf_counter() - started) * 1000))
                self._start_idle_timer()
            return self._server

    async def _drop(self) -> None:
        assert self._server is not None
        server, self._server = self._server, None
        await self._in_thread(server.close)
        gc.collect()
        self.counters.unloads += 1
        log.info("llm_unloaded", llm=self.name)

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _start_idle_timer(self) -> None:
        if self._idle_unload_s is None or self._users or self._closed or self._server is None:
            return
        self._cancel_idle_timer()
        # The timer outlives the request that starts it: that one's logging context is not its own.
        self._idle_timer = asyncio.get_running_loop().call_later(
            self._idle_unload_s, self._unload_when_idle, context=contextvars.Context()
        )

    def _unload_when_idle(self) -> None:
        self._unloading = asyncio.create_task(self.unload())
