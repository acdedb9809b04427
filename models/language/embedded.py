"""An LLM on this machine: a GGUF on llama.cpp's own server, in a process of its own, which is spoken to like any other
OpenAI-compatible server."""

import asyncio
import contextlib
import json
import secrets
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from models.base import available_cpus
from models.concurrency import SharedRun
from models.hosts.measures import RELOAD, EngineCounters
from models.language.llama_process import ServerOptions
from models.language.llm import (
    Abilities,
    ContextOverflow,
    Done,
    LlmCall,
    LlmEvent,
    LlmNotSetUp,
    LlmUnavailable,
)
from models.language.openai_http import ServerPatience
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from models.python_process import python_command, python_environment

log = structlog.get_logger(__name__)

SMALL_BYTES = 256_000_000
PARALLEL_SMALL, PARALLEL_LARGE = 10, 4
"""A model whose file has at most SMALL_BYTES bytes answers PARALLEL_SMALL calls at a time, a larger one PARALLEL_LARGE,
unless a setting states another number."""

LONGEST_TOKEN = 256
"""A token has at most this many characters. The longest token in the vocabularies of open models is 128 spaces."""

_PATIENCE = ServerPatience(first_byte_s=3600, silence_s=3600)
"""A long prompt may take minutes on a CPU. The time of the request limits the call."""
_CUT_AT_BOUND = "The answer was cut at {bound} tokens; set max_tokens for a longer one."


class EmbeddedLlm:
    """The model in the file `gguf`, for the coroutines of one event loop. It is loaded at its first use.

    `context_tokens` bounds prompt and answer of one call; memory is needed for `parallel` times that number of tokens.
    `max_tokens` bounds an answer whose call sets no limit. With `parallel` None, the model's size determines the number
    of simultaneous calls. With 0 `threads`, half of the CPUs are used, because llama.cpp's threads wait for each other
    by spinning, and one thread more than there are idle CPUs makes llama.cpp several times slower.
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
        is_capable: bool = True,
    ) -> None:
        self._gguf = gguf
        self._is_capable = is_capable
        is_small = gguf.is_file() and gguf.stat().st_size <= SMALL_BYTES
        self._options = ServerOptions(
            gguf=str(gguf),
            key=secrets.token_urlsafe(32),
            context_tokens=context_tokens,
            max_tokens=max_tokens,
            parallel=parallel or (PARALLEL_SMALL if is_small else PARALLEL_LARGE),
            threads=threads or max(1, available_cpus() // 2),
            n_gpu_layers=n_gpu_layers,
        )
        self.counters = EngineCounters()
        self._process: subprocess.Popen[bytes] | None = None
        self._server: OpenAiServer | None = None
        self.address: str | None = None
        """Address of llama.cpp's server on loopback, which only a caller with the key can use."""
        self._starting = SharedRun(self._start)
        self._closed = False
        self._broken: str | None = None

    @property
    def name(self) -> str:
        return self._gguf.stem

    async def identity(self) -> object:
        return self.name

    @property
    def is_capable(self) -> bool:
        return self._is_capable

    @property
    def loaded(self) -> bool:
        return self._server is not None and self._process is not None and self._process.poll() is None

    @property
    def healthy(self) -> bool:
        """Always True: a model that does not load is tried again at the next call, and a process that died is replaced
        by another."""
        return True

    @property
    def broken(self) -> str | None:
        return self._broken

    @property
    def queued(self) -> int:
        return self._server.queued if self._server is not None else 0

    @property
    def running(self) -> int:
        return self._server.running if self._server is not None else 0

    async def abilities(self) -> Abilities:
        """Return the model's abilities, loading the model first. A forced call works even without the ability `tools`.
        With the tool choice `auto`, a model whose template does not support tools answers with text."""
        with self.counters.failing():
            return await (await self._loaded_server()).abilities()

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        """Yield the answer, like `Llm.stream`."""
        server = await self._loaded_server()
        context = self._options.context_tokens
        # llama.cpp would need 40 times the memory of the text, and half a second of a processor per megabyte, to
        # find out that it has too many tokens.
        if len(call.messages) > context or _characters(call.messages) > LONGEST_TOKEN * context:
            raise ContextOverflow(f"The request is longer than the language model's context of {context} tokens.")
        messages = call.messages if (await server.abilities()).tools else list(_in_plain_turns(call.messages))
        call = replace(call, messages=_without_markers(messages))
        if call.options.get("seed") is not None or call.options.get("temperature") == 0:
            # If the beginning of a prompt were cached, its other tokens would be divided into different batches,
            # which changes the last bits of the results.
            call = replace(call, options={**call.options, "cache_prompt": False})
        is_bounded = call.options.get("max_tokens") or call.options.get("max_completion_tokens")
        async with contextlib.aclosing(server.stream(call)) as events:
            async for event in events:
                if isinstance(event, Done) and event.finish_reason == "length" and not is_bounded:
                    event = event.noting(_CUT_AT_BOUND.format(bound=self._options.max_tokens))
                yield event

    def check_room(self) -> None:
        if self._server is not None:
            self._server.check_room()

    async def load(self) -> None:
        """Load the model. Raises LlmUnavailable."""
        await self.abilities()

    async def close(self) -> None:
        """End the running answers, refuse later calls, and free the model permanently."""
        self._closed = True
        await self._starting.stop()
        await self._stop()

    async def _loaded_server(self) -> OpenAiServer:
        if not self.loaded:
            await self._starting.join()
        if self._server is None:
            raise LlmUnavailable("The server is shutting down.")
        return self._server

    async def _start(self) -> None:
        if self._closed:
            raise LlmUnavailable("The server is shutting down.")
        await self._stop()  # what is left of a process that died
        started = time.perf_counter()
        try:
            stated = await self._started_process()
        except LlmNotSetUp as error:
            self._broken = str(error)
            await self._stop()
            raise
        self._broken = None
        self.counters.failures[RELOAD] += self.counters.loads > 0
        self.counters.loads += 1
        self.address = stated["address"]
        known = KnownAbilities(
            vision=False, tools=stated["calls_tools"], json_schema=True, context_tokens=stated["context_tokens"]
        )
        self._server = OpenAiServer(
            stated["address"],
            self._options.key,
            self.name,
            abilities=known,
            patience=_PATIENCE,
            at_once=self._options.parallel,
        )
        self._server.counters = self.counters
        log.info("llm_loaded", llm=self.name, ms=round((time.perf_counter() - started) * 1000))

    async def _started_process(self) -> dict[str, Any]:
        """Start the process, and return what it tells of the model. Raises LlmNotSetUp."""
        if not self._gguf.is_file():
            raise LlmNotSetUp(f"There is no model at {self._gguf}.")
        self._process = process = subprocess.Popen(  # noqa: ASYNC220, S603 - uvloop's own knows no `process_group`
            python_command("models.language.llama_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=python_environment(),
            # The terminal's Ctrl-C is for the server, which ends this process.
            process_group=0,
        )
        line = await asyncio.to_thread(_ask, process, self._options.encoded())
        if not line:
            raise LlmNotSetUp(f"llama.cpp ended while it loaded {self._gguf.name}.")
        stated: dict[str, Any] = json.loads(line)
        if "error" in stated:
            public = f"{LlmNotSetUp.public} {stated['remedy']}" if "remedy" in stated else None
            raise LlmNotSetUp(stated["error"], public=public)
        return stated

    async def _stop(self) -> None:
        server, self._server = self._server, None
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if server is not None:
            await server.close()


def _ask(process: "subprocess.Popen[bytes]", line: bytes) -> bytes:
    """Return the line with which `process` answers; empty if it ends instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(line)
        process.stdin.flush()
    return process.stdout.readline()


def _in_plain_turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield `messages` for a template without tools: the result of a call becomes a user's message, and a turn that
    consists only of calls is left out, because a small model would repeat it instead of answering."""
    calls: dict[str, str] = {}
    for message in messages:
        content = message.get("content") or ""
        for call in message.get("tool_calls") or ():
            calls[call["id"]] = f"{call['function']['name']}({call['function'].get('arguments', '')})"
        if message["role"] == "tool":
            text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
            yield {"role": "user", "content": f"Result of {calls.get(message['tool_call_id'], 'the call')}:\n{text}"}
        elif content or not message.get("tool_calls"):
            yield {"role": message["role"], "content": content}


def _without_markers(value: Any) -> Any:
    """Return `value` with a space inside each beginning of a marker in its texts. Otherwise llama.cpp would take a
    marker such as `<|im_end|>` in a quoted document for a real one."""
    if isinstance(value, str):
        return value.replace("<|", "< |")
    if isinstance(value, dict):
        return {name: _without_markers(item) for name, item in value.items()}
    return [_without_markers(item) for item in value] if isinstance(value, list | tuple) else value


def _characters(value: Any) -> int:
    """Return the number of characters of all texts in `value`."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list | tuple) else 0
