"""One chat of llama.cpp's, which blocks a thread, as events on the event loop."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing

from models.language.embedded_call import CallReader
from models.language.embedded_request import NativeRequest
from models.language.embedded_server import LlamaServer
from models.language.llm import LlmBroke, LlmEvent, LlmRefused, TextDelta
from models.language.openai_chunks import ChunkReader
from models.language.openai_faults import public_sentence
from models.shared_run import heard_of

_JSON_BEGINS = tuple('{["-0123456789tfn')


class GrammarIgnored(Exception):
    """The answer begins like no JSON, although a grammar asked for it."""


class NativeAnswer:
    """Runs at once. `ended` is done when the thread has returned, soon after `cancel`."""

    def __init__(self, server: LlamaServer, request: NativeRequest, threads: Executor) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._cancelled = False
        self.ended = self._loop.run_in_executor(threads, server.chat, request.encoded(), self._take)
        self.ended.add_done_callback(heard_of)
        self.ended.add_done_callback(lambda _ended: self._chunks.put_nowait(None))

    @property
    def was_cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """llama.cpp stops at its next token or, while it reads the prompt, at its next batch."""
        self._cancelled = self._cancelled or not self.ended.done()

    async def events(self) -> AsyncGenerator[LlmEvent, None]:
        """Raises LlmError, and GrammarIgnored before the first event."""
        calls = CallReader() if self._request.is_call else None
        begun = not self._request.is_json
        async with aclosing(self._openai_events()) as events:
            async for event in events:
                if not begun and isinstance(event, TextDelta) and event.text:
                    begun = True
                    if not event.text.startswith(_JSON_BEGINS):
                        raise GrammarIgnored
                for delta in [event] if calls is None else calls.read(event):
                    yield delta

    async def _openai_events(self) -> AsyncGenerator[LlmEvent, None]:
        reader = ChunkReader()
        while (chunk := await self._chunks.get()) is not None:
            for event in reader.read(chunk):
                yield event
        try:
            await self.ended
        except ValueError as error:  # it cannot make a prompt of the request
            raise LlmRefused(public_sentence(str(error))) from error
        except RuntimeError as error:
            raise LlmBroke(f"llama.cpp failed: {error}") from error
        if not reader.is_whole:
            raise LlmBroke("llama.cpp was stopped before the answer's end.")
        for event in reader.close():
            yield event

    def _take(self, chunk: bytes) -> bool:
        """On llama.cpp's thread; True ends the chat."""
        if not self._cancelled:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        return self._cancelled
