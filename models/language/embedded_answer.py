"""Runs one chat with llama.cpp, which blocks a thread, and passes its answer to the event loop as events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace

from models.concurrency import mark_retrieved
from models.language.embedded_request import NativeRequest
from models.language.embedded_server import LlamaServer
from models.language.forced_call import CallReader
from models.language.llm import Done, LlmBroke, LlmEvent, LlmRefused, TextDelta, ToolCallDelta
from models.language.openai_chunks import ChunkReader
from models.language.openai_faults import public_sentence

_JSON_FIRST_CHARS = tuple('{["-0123456789tfn')
_CUT_AT_BOUND = "The answer was cut at {bound} tokens (OPENFAZE_EMBEDDED_MAX_TOKENS); set max_tokens for a longer one."
_CUT_IN_LOOP = "The answer was cut because the language model kept repeating itself."

LOOP_CHARS = 400
"""A repetition at the end of an answer counts as a loop only if it has at least this many characters."""
LOOP_TIMES = 4
"""A phrase counts as a loop only if it occurs at least this many times in a row."""
_MAX_PHRASE_CHARS = 600
_PROBE_CHARS = 32


class GrammarIgnored(Exception):
    """Raised if an answer does not begin like JSON, although a grammar required JSON."""

    reason_label = "grammar"


class NativeAnswer:
    """One chat with llama.cpp, which starts when the object is created. The future `ended` is done once the chat's
    thread has returned. After `cancel`, this takes only a moment."""

    def __init__(
        self,
        server: LlamaServer,
        request: NativeRequest,
        threads: Executor,
        on_written: Callable[[str], None] | None = None,
    ) -> None:
        """Start the chat on one of `threads`. `on_written` is that of LlmCall."""
        self._request = request
        self._on_written = on_written
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._cancelled = False
        self.ended = self._loop.run_in_executor(threads, self._chat, server)
        self.ended.add_done_callback(mark_retrieved)
        self.ended.add_done_callback(lambda _ended: self._chunks.put_nowait(None))

    @property
    def was_cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Stop the chat. llama.cpp stops at its next token or, while it reads the prompt, at its next batch."""
        self._cancelled = self._cancelled or not self.ended.done()

    async def events(self) -> AsyncGenerator[LlmEvent, None]:
        """Yield the events of the answer, which ends with the finish reason `length` if it repeats itself. Raises
        LlmError, and GrammarIgnored before the first event."""
        calls = CallReader() if self._request.is_call else None
        begun = not self._request.is_json
        async with aclosing(self._bounded_events()) as events:
            async for event in events:
                if not begun and isinstance(event, TextDelta) and event.text:
                    begun = True
                    if not event.text.startswith(_JSON_FIRST_CHARS):
                        raise GrammarIgnored
                for delta in [event] if calls is None else calls.read(event):
                    yield delta

    async def _bounded_events(self) -> AsyncGenerator[LlmEvent, None]:
        loops = LoopDetector()
        async with aclosing(self._openai_events()) as events:
            async for event in events:
                if isinstance(event, Done) and event.finish_reason == "length" and self._request.bound:
                    yield replace(event, note=_CUT_AT_BOUND.format(bound=self._request.bound))
                    return
                yield event
                piece = event.arguments if isinstance(event, ToolCallDelta) else getattr(event, "text", "")
                if loops.ends_in_loop(piece):
                    self.cancel()
                    yield Done("length", note=_CUT_IN_LOOP)
                    return

    async def _openai_events(self) -> AsyncGenerator[LlmEvent, None]:
        reader = ChunkReader(on_written=self._on_written)
        while (chunk := await self._chunks.get()) is not None:
            for event in reader.read([chunk]):
                yield event
        try:
            await self.ended
        except ValueError as error:  # llama.cpp cannot make a prompt of the request
            raise LlmRefused(public_sentence(str(error))) from error
        except RuntimeError as error:
            raise LlmBroke(f"llama.cpp failed: {error}") from error
        if not reader.is_whole:
            raise LlmBroke("llama.cpp was stopped before the answer's end.")
        for event in reader.close():
            yield event

    def _chat(self, server: LlamaServer) -> None:
        server.chat(self._request.encoded(), self._receive)

    def _receive(self, chunk: bytes) -> bool:
        """Hand a chunk to the event loop. This method is called on llama.cpp's thread; if it returns True, the chat
        ends."""
        if not self._cancelled:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        return self._cancelled


class LoopDetector:
    """Detects that a text, while it is written, ends in a loop: one phrase several times in a row.

    `models.speech` treats loops differently: it removes them from the finished transcript.
    """

    def __init__(self) -> None:
        self._tail = ""

    def ends_in_loop(self, piece: str) -> bool:
        """True if the text ends in a loop after `piece` is added. The time does not grow with the text."""
        tail = self._tail = (self._tail + piece)[-LOOP_TIMES * _MAX_PHRASE_CHARS :]
        # The length of the phrase, if there is one, is the distance from the last few characters to their previous
        # occurrence.
        text_before = tail.rfind(tail[-_PROBE_CHARS:], 0, len(tail) - 1)
        phrase = len(tail) - _PROBE_CHARS - text_before
        looped = max(LOOP_CHARS, LOOP_TIMES * phrase)
        return text_before >= 0 and looped <= len(tail) and tail[phrase - looped :] == tail[-looped:-phrase]
