"""Guard models on an OpenAI-compatible server."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from models.base import EngineFailed, EngineOverloaded, EngineTooSlow, EngineUnavailable, ModelError, UpstreamDown
from models.concurrency import call_off
from models.hosts.measures import EngineCounters
from models.language.llm import (
    ContextOverflow,
    Done,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmNotSetUp,
    LlmOverloaded,
    LlmUnavailable,
    TextDelta,
)
from models.language.openai_http import ServerPatience
from models.language.openai_probe import KnownAbilities
from models.language.openai_server import OpenAiServer
from models.safety.guard import TEXT_CODES, Judgement, Scores
from models.safety.text.dialects import GuardDialect, NotAVerdict, Token, tokens_in
from models.safety.text.settings import GuardSettings

CAPABILITY = "text_guard"
CONTEXT_TOKENS = 16384
"""The model on the server must accept at least this many tokens, prompt and answer together. The longest call has a
window and a question in the script that takes the most tokens, the policy, and the reasoning."""
WINDOW = 8192
"""One call judges at most this much of a text, in bytes of UTF-8. No tokenizer of these models makes more tokens than a
text has bytes. English text takes about a quarter of this number."""
_OVERLAP = 1024
"""Neighbouring windows share at least this many bytes, so that every part of a text up to this length is complete in
one of them."""
_QUESTION = 2048
"""The judged answer is shown together with about this many bytes of a longer question, half of them from the question's
beginning and half from its end."""
_WINDOWS_AT_ONCE = 8
"""The server judges at most this many windows of one text at a time."""

_GUARD_WORDS = {
    "The language model": "The guard model",
    "LLM server": "guard server",
    "OPENFAZE_LLM_": "OPENFAZE_GUARD_",
}

log = structlog.get_logger(__name__)


class GuardServerBusy(EngineOverloaded):
    """Raised if the server of `engine` asks the client to come back after `retry_after` seconds."""

    def __init__(self, engine: str, retry_after: int) -> None:
        ModelError.__init__(self, f"'{engine}' is busy: its server takes no more texts now. Try again later.")
        self.retry_after = retry_after


class ServerGuard:
    """A TextGuard that lets a server judge. It is also the `EnginePart` whose state and counters its engine reports. An
    object of this class belongs to the event loop in which it is first used."""

    def __init__(self, name: str, dialect: GuardDialect, config: GuardSettings, seconds: float) -> None:
        """`seconds` is the time limit for a window of a text."""
        self.name = name
        self.codes = dialect.codes(config.guard_model)
        self.thresholds = dict.fromkeys(self.codes, dialect.threshold)
        self._dialect = dialect
        self._seconds = seconds
        known = KnownAbilities(vision=False, tools=False)
        if not dialect.answers_in_json:
            known["json_schema"] = False
        self._server = OpenAiServer(
            config.guard_base_url or "",
            config.guard_api_key.get_secret_value() if config.guard_api_key else None,
            config.guard_model,
            abilities=known,
            patience=ServerPatience(first_byte_s=self._seconds, silence_s=self._seconds),
        )
        self._has_judged = False

    @property
    def loaded(self) -> bool:
        return self._has_judged

    @property
    def healthy(self) -> bool:
        return self._server.healthy

    @property
    def broken(self) -> str | None:
        return None if self._server.broken is None else _reworded(self._server.broken)

    @property
    def counters(self) -> EngineCounters:
        return self._server.counters

    @property
    def queued(self) -> int:
        return self._server.queued

    @property
    def running(self) -> int:
        return self._server.running

    async def load(self) -> None:
        """Let the server judge a safe text, because only this shows that the server can be reached and answers with a
        verdict. Raises the errors of `judge`."""
        await self.judge("Good morning.", [code for code in TEXT_CODES if code in self.codes])

    async def check(self) -> None:
        """Check that the server can be reached, without judging anything. Raises UpstreamDown if it cannot."""
        try:
            await self._server.check()
        except LlmError as error:
            raise UpstreamDown(CAPABILITY, _reworded(str(error))) from error

    async def judge(self, text: str, codes: Sequence[str], *, answers: str | None = None) -> Judgement:
        """Judge `text` by `codes`. The score of each code is the highest of all windows. Raises EngineUnavailable (also
        if the server takes too long), EngineOverloaded and EngineFailed."""
        places = asyncio.Semaphore(_WINDOWS_AT_ONCE)
        question = None if answers is None else _shortened(answers)

        async def judged(window: str) -> Scores:
            async with places:
                return await self._judge_window(window, question, codes)

        windows = windows_of(text) if text.strip() else []
        judging = [asyncio.create_task(judged(window)) for window in windows]
        try:
            found = await asyncio.gather(*judging)
        finally:
            # If one window cannot be judged, judging the others is useless.
            await call_off(*judging)
        return Judgement({code: max((scores.get(code, 0.0) for scores in found), default=0.0) for code in codes})

    async def close(self) -> None:
        await self._server.close()

    async def _judge_window(self, text: str, question: str | None, codes: Sequence[str]) -> Scores:
        try:
            async with asyncio.timeout(self._seconds):
                abilities = await self._server.abilities()
                call = self._dialect.call(text, question, codes, by_schema=abilities.json_schema)
                answer_text, tokens = await self._ask(call)
            scores = self._dialect.read(answer_text, tokens, codes)
        except TimeoutError:
            self.counters.failures[EngineTooSlow.reason_label] += 1
            remedy = f"The server of '{self.name}' took longer than {self._seconds:g} s."
            raise EngineTooSlow(CAPABILITY, remedy) from None
        except LlmError as error:
            raise self._public_error(error) from error
        except NotAVerdict as error:
            self.counters.failures["no_verdict"] += 1
            log.warning("guard_gave_no_verdict", engine=self.name, reason=str(error))
            raise EngineFailed(self.name) from error
        self._has_judged = True
        return scores

    async def _ask(self, call: LlmCall) -> tuple[str, list[Token]]:
        """Return the answer without its reasoning, and its tokens with the server's probabilities. Raises NotAVerdict
        for an answer that was cut short, which may lack some codes."""
        text, logprobs = "", []
        async with aclosing(self._server.stream(call)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        text += event.text
                        logprobs.append(event.logprobs)
                    case Done(finish_reason="length" | "content_filter"):
                        raise NotAVerdict("It was cut at its limit.")
        return text, tokens_in(logprobs)

    def _public_error(self, error: LlmError) -> ModelError:
        """Return the error for the client, and log the details, which a client must not see. If the server refuses a
        request, the error does not blame the client."""
        log.warning("guard_server_failed", engine=self.name, kind=type(error).__name__, error=_reworded(str(error)))
        if isinstance(error, LlmOverloaded):
            return GuardServerBusy(self.name, error.retry_after)
        if isinstance(error, LlmUnavailable):
            remedy = f"The server of '{self.name}' cannot be used: check OPENFAZE_GUARD_BASE_URL and openfaze's log."
            kind = EngineUnavailable if isinstance(error, LlmNotSetUp) else UpstreamDown
            return kind(CAPABILITY, remedy)
        if isinstance(error, LlmBroke):
            return UpstreamDown(CAPABILITY, f"The server of '{self.name}' broke off its verdict: see openfaze's log.")
        if isinstance(error, ContextOverflow):
            remedy = f"The server of '{self.name}' has too small a context: give its model {CONTEXT_TOKENS} tokens."
            return EngineUnavailable(CAPABILITY, remedy)
        return EngineFailed(self.name)


def windows_of(text: str) -> list[str]:
    """Return windows that cover all of `text`, none of which cuts a character."""
    data = text.encode("utf-8", "replace")
    if len(data) <= WINDOW:
        return [text]
    windows, start = [], 0
    while start + WINDOW < len(data):
        stop = _character_start(data, start + WINDOW)
        windows.append(data[start:stop].decode())
        start = _character_start(data, stop - _OVERLAP)
    return [*windows, data[start:].decode()]


def _shortened(question: str) -> str:
    data = question.encode("utf-8", "replace")
    if len(data) <= _QUESTION:
        return question
    begins, ends = _character_start(data, _QUESTION // 2), _character_start(data, len(data) - _QUESTION // 2)
    return f"{data[:begins].decode()} … {data[ends:].decode()}"


def _character_start(data: bytes, position: int) -> int:
    """Return the index of the first byte of the character that contains the byte at `position`."""
    while data[position] & 0xC0 == 0x80:
        position -= 1
    return position


def _reworded(words: str) -> str:
    """Return a message of the LLM's client, reworded for a guard."""
    for llm_word, guard_word in _GUARD_WORDS.items():
        words = words.replace(llm_word, guard_word)
    return words
