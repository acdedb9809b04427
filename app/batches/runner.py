"""Moves batches from one status to the next. The runner checks the file, runs the lines, and writes the output and
error files. All finished work is in the store, so that another server can continue the batches of a server that
died."""

import asyncio
import contextlib
import math
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog

from app.access.keys import ApiKeys, Caller, KeyReference
from app.batches.lines import BadFile, Checker, LineRunner, RawLine, Splitter, problem, to_error_line
from app.batches.store import Batch, BatchStore, Ended, LeaseLost, Record, TooManyResults
from app.batches.webhook import Webhook
from app.errors import ApiError
from app.files.store import FileStore
from app.state.entries import StoreDown
from models.base import ModelError
from models.queues import KEY
from tasks.inputs.limits import MB, megabytes

OUTPUT_PURPOSE = "batch_output"
WINDOW_S = 24 * 3600.0
LEASE_S = 20.0
"""A lease ends after this many seconds unless its server renews it. Another server may then take the batch."""
POLL_S = 5.0
"""The runner looks for work after this many seconds, even if nothing wakes it."""
_BATCHES_OF_KEY = 4
"""A server runs at most this many batches of a key at the same time, so that it has places for those of others."""
_MAX_BATCHES = 64
"""A server runs at most this many batches at the same time, not counting those that wait for the LLM."""
_MAX_WAITING = 256
"""A server keeps at most this many batches that wait for the LLM beside the _MAX_BATCHES others."""
_LARGE = MB
"""While a line with more bytes than this runs, no other line of its batch is read, because lines that run are in
memory."""
_PAUSE_S = 30.0
"""A batch that had an error is tried again after this many seconds."""
_SWEEP_S = 3600.0

Reason = Literal["cancelled", "expired", "key_removed", "results_too_large"]
Fault = tuple[str, str]
"""Part of the batch service that had a fault, and the kind of the fault."""
FAULTS: tuple[Fault, ...] = (
    ("store", "unreachable"),
    ("runner", "rests"),
    ("runner", "error"),
    ("webhook", "error"),
)

log = structlog.get_logger(__name__)
_INPUT_GONE = problem("file_not_found", "The input file was deleted, or it has expired.", param="input_file_id")
_KEY_REMOVED = problem("key_removed", "The key that the batch belongs to is no longer valid.")


def _results_too_large(max_bytes: int) -> dict[str, object]:
    return problem(
        "results_too_large",
        f"The results of the batch would be larger than {megabytes(max_bytes)} (OPENFAZE_MAX_FILE_MB). "
        "Send the lines in several batches.",
    )


def _llm_away(reason: str) -> dict[str, object]:
    waiting = "Lines wait for the language model, and are tried again until the batch expires"
    return problem("waiting_for_llm", f"{waiting}. {reason}")


@dataclass(slots=True)
class _RunningBatch:
    """A batch that this server runs."""

    id: str
    key: KeyReference
    expires: float
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once no more lines may begin."""
    reason: Reason | None = None
    waiting: set[int] = field(default_factory=set)
    """Numbers of the lines that wait for the LLM."""
    warning: str = ""
    """Reason why lines wait, as the batch shows it."""
    task: "asyncio.Task[None] | None" = None

    def end(self, reason: Reason) -> None:
        if self.reason is None:
            self.reason = reason
            self.stop.set()


class BatchRunner:
    """Runs the batches of the store. Other parts of the server write to the store and call `wake`."""

    def __init__(
        self,
        store: BatchStore,
        files: FileStore,
        keys: ApiKeys,
        lines: LineRunner,
        webhook: Webhook | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.clock = clock
        self._lines = lines
        self._webhook = webhook
        self.outcomes: Counter[tuple[str]] = Counter({(one,): 0 for one in ("completed", "failed", "expired")})
        """Number of finished lines by outcome."""
        self._faults: Counter[Fault] = Counter(dict.fromkeys(FAULTS, 0))
        self._files = files
        self._keys = keys
        self._holder = uuid.uuid4().hex
        self._runs: dict[str, _RunningBatch] = {}
        self._notifying: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._swept = 0.0

    def wake(self) -> None:
        """Let the runner look for work at once."""
        self._woken.set()

    def faults(self) -> dict[Fault, int]:
        """Return the number of times that each kind of fault delayed a batch or its webhook."""
        return {**self._faults, ("webhook", "failed"): self._webhook.failures if self._webhook else 0}

    async def run_for_ever(self) -> None:
        try:
            while True:
                self._woken.clear()
                try:
                    await self._poll()
                except StoreDown as error:
                    self._note_unreachable(error)
                except Exception:
                    self._faults["runner", "error"] += 1
                    log.exception("looking_for_batches_failed")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._woken.wait()
        finally:
            tasks = [task for task in (self._notifying, *(run.task for run in self._runs.values())) if task is not None]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    async def _poll(self) -> None:
        """Renew leases, stop batches that are to end, start batches that no server runs, begin to send notices, and now
        and then delete old batches."""
        if not self.store.is_begun:
            return
        now = self.clock()
        if self._runs:
            held = await self.store.renew(self._holder, now + LEASE_S, list(self._runs))
            for run in list(self._runs.values()):
                if run.id not in held:
                    assert run.task is not None
                    run.task.cancel()
                elif held[run.id] == "cancelling":
                    run.end("cancelled")
                else:
                    self._check_end(run)
        while self._has_room():
            counts = Counter(run.key.tenant for run in self._runs.values())
            full = [tenant for tenant, count in counts.items() if count >= _BATCHES_OF_KEY]
            batch = await self.store.claim(self._holder, now, now + LEASE_S, self._runs, full)
            if batch is None:
                break
            run = _RunningBatch(batch.id, batch.key, batch.expires)
            self._runs[batch.id] = run
            run.task = asyncio.create_task(self._run(run, batch))
        if self._webhook is not None and (self._notifying is None or self._notifying.done()):
            self._notifying = asyncio.create_task(self._send_notices(self._webhook))
        if abs(now - self._swept) > _SWEEP_S:
            self._swept = now
            await self.store.sweep(now - (self._files.limits.ttl_s or math.inf), now)

    def _has_room(self) -> bool:
        """True if this server may run another batch."""
        waiting = sum(bool(run.waiting) for run in self._runs.values())
        return len(self._runs) - min(waiting, _MAX_WAITING) < _MAX_BATCHES

    def _check_end(self, run: _RunningBatch) -> None:
        """End `run` if its key was removed or its time is over."""
        if self._keys.caller_of(run.key) is None:
            run.end("key_removed")
        elif self.clock() >= run.expires:
            run.end("expired")

    async def _run(self, run: _RunningBatch, batch: Batch) -> None:
        rests = False
        try:
            if (caller := self._keys.caller_of(run.key)) is None:
                run.end("key_removed")
            else:
                KEY.set(caller.digest)
            if batch.status == "validating":
                batch = await self._check(run, batch)
            if batch.status == "in_progress":
                batch = await self._run_lines(run, batch)
            if batch.status in ("finalizing", "cancelling"):
                await self._finish(batch)
        except LeaseLost:
            log.warning("batch_taken_over", batch=run.id)
        except (ApiError, ModelError, StoreDown) as error:
            self._faults["runner", "rests"] += 1
            log.warning("batch_rests", batch=run.id, reason=str(error), seconds=_PAUSE_S)
            rests = True
        except Exception:
            self._faults["runner", "error"] += 1
            log.exception("batch_failed", batch=run.id)
            rests = True
        finally:
            del self._runs[run.id]
            # The lease is also released when the server stops, so that another server need not wait for the lease to
            # expire.
            with contextlib.suppress(StoreDown):
                await self.store.release(run.id, self._holder, self.clock() + _PAUSE_S if rests else 0)
            self.wake()

    async def _check(self, run: _RunningBatch, batch: Batch) -> Batch:
        """Check the whole file before any of its lines runs."""
        checker = Checker([batch.endpoint])
        try:
            async with aclosing(self._chunks_of(batch)) as chunks:
                async for lines in chunks:
                    await asyncio.to_thread(checker.check, lines)
                    if checker.has_enough or run.stop.is_set():
                        break
            checker.finish()
        except BadFile as error:
            checker.problems.append(error.problem)
        if run.reason == "cancelled":
            return await self._advance(batch, "in_progress")
        if run.reason == "key_removed":
            checker.problems[:] = [_KEY_REMOVED]
        if checker.problems:
            return await self._end_batch(batch, "failed", errors=checker.problems)
        return await self._advance(batch, "in_progress", total=checker.count)

    async def _run_lines(self, run: _RunningBatch, batch: Batch) -> Batch:
        outcome: Ended = "completed"
        errors = []
        if batch.errors:  # the warning of a server that has stopped
            batch = await self.store.change(batch.id, self._holder, errors=[])
        try:
            try:
                async with aclosing(self._lines_left(batch)) as lines, asyncio.TaskGroup() as group:
                    reading = asyncio.Lock()
                    for _ in range(self._lines.at_once):
                        group.create_task(self._run_some(run, batch, lines, reading))
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from None
            if run.reason == "expired":
                outcome = "expired"
                await self._expire_lines(batch)
        except BadFile as error:
            outcome, errors = "failed", [error.problem]
        if run.reason == "key_removed":
            outcome, errors = "failed", [_KEY_REMOVED]
        elif run.reason == "results_too_large":
            outcome, errors = "failed", [_results_too_large(self._files.limits.file_bytes)]
        return await self._advance(batch, "finalizing", outcome=outcome, errors=errors)

    async def _run_some(
        self, run: _RunningBatch, batch: Batch, lines: AsyncGenerator[RawLine, None], reading: asyncio.Lock
    ) -> None:
        """Run one line after the other, beside other calls that do the same with the same `lines`."""
        while True:
            async with reading:
                self._check_end(run)
                line = None if run.stop.is_set() else await anext(lines, None)
                if line is None:
                    return
                if len(line.data) > _LARGE:
                    await self._run_line(run, batch, line)
                    continue
            await self._run_line(run, batch, line)

    async def _run_line(self, run: _RunningBatch, batch: Batch, line: RawLine) -> None:
        async def note_wait(reason: str) -> None:
            run.waiting.add(line.number)
            await self._warn(run, reason)

        def find_caller() -> Caller | None:
            return self._keys.caller_of(batch.key)

        try:
            record = await self._lines.run(line, batch.endpoint, find_caller, stop=run.stop, on_llm_away=note_wait)
        finally:
            run.waiting.discard(line.number)
        if record is None:
            run.end("key_removed")
            return
        try:
            await self.store.note(batch.id, self._holder, [record], self._files.limits.file_bytes)
        except TooManyResults:
            run.end("results_too_large")
            return
        self.outcomes[("completed" if record.is_answer else "failed",)] += 1
        if not run.waiting:
            await self._warn(run, "")

    async def _warn(self, run: _RunningBatch, reason: str) -> None:
        """Show in the errors of the batch why its lines wait for the LLM; "" if none waits any more."""
        if reason != run.warning:
            run.warning = reason
            await self.store.change(run.id, self._holder, errors=[_llm_away(reason)] if reason else [])

    async def _expire_lines(self, batch: Batch) -> None:
        """Write errors for the lines that were not run in time."""
        message = "The batch expired before this line was run."
        async with aclosing(self._lines_left(batch)) as lines:
            async for line in lines:
                record = await asyncio.to_thread(to_error_line, line.data, "batch_expired", message)
                await self.store.note(batch.id, self._holder, [Record(line.number, False, record)])
                self.outcomes[("expired",)] += 1

    async def _finish(self, batch: Batch) -> None:
        """Write the output and error files, and end the batch.

        If there is no room for a file, the batch shows the error, and the ApiError is raised, so that the batch is
        tried again. If the key is no longer valid or the files would have expired by now, the batch fails instead.
        """
        try:
            if batch.output_file is None and batch.completed:
                batch = replace(batch, output_file=await self._write(batch, is_answer=True))
            if batch.error_file is None and batch.failed:
                batch = replace(batch, error_file=await self._write(batch, is_answer=False))
        except ApiError as error:
            if self._keys.caller_of(batch.key) is None:
                await self._end_batch(batch, "failed", errors=[_KEY_REMOVED])
                return
            shown = [problem(error.code, error.message)]
            batch = await self.store.change(batch.id, self._holder, errors=shown)
            kept_s = self._files.limits.ttl_s
            if not kept_s or self.clock() < batch.expires + kept_s:
                raise
            # After the time for which the files would have been kept, nobody could need them.
            await self._end_batch(batch, "failed")
            return
        ended: Ended = "cancelled" if batch.status == "cancelling" else batch.outcome
        await self._end_batch(batch, ended, errors=batch.errors if ended == "failed" else [])

    async def _write(self, batch: Batch, *, is_answer: bool) -> str:
        """Write a file of results, and return the file's id, which the batch has from the moment at which the file
        exists: nothing that interrupts this call leaves a second file. Raises LeaseLost, and ApiError if there is no
        room for the file, before any result is read from the store."""
        name = f"{batch.id}_{'output' if is_answer else 'error'}.jsonl"
        last_number = 0
        size = await self.store.file_bytes(batch.id, is_answer=is_answer)
        await self._files.check_room(batch.tenant, size)
        async with self._files.writing(batch.tenant) as writing:
            while records := await self.store.records(batch.id, is_answer=is_answer, after=last_number):
                for number, line in records:
                    await writing.write(line + b"\n")
                    last_number = number
            keep_s = min(filter(None, (self._files.limits.ttl_s, batch.output_keep_s)), default=None)
            field_of_file = "output_file" if is_answer else "error_file"
            naming = self.store.changing(batch.id, self._holder, **{field_of_file: writing.id})
            await writing.publish(name, OUTPUT_PURPOSE, keep_s, naming)
        return writing.id

    async def _advance(self, batch: Batch, status: Literal["in_progress", "finalizing"], **values: object) -> Batch:
        return await self.store.advance(batch.id, self._holder, status, self.clock(), **values)

    async def _end_batch(self, batch: Batch, status: Ended, **values: object) -> Batch:
        has_webhook = self._webhook is not None
        batch = await self.store.end(batch.id, self._holder, status, self.clock(), tell=has_webhook, **values)
        log.info("batch_ended", batch=batch.id, status=status, completed=batch.completed, failed=batch.failed)
        return batch

    async def _chunks_of(self, batch: Batch) -> AsyncGenerator[list[RawLine], None]:
        """Yield the lines of the file chunk by chunk. Raises BadFile."""
        file = await self._files.find(batch.tenant, batch.input_file)
        if file is None:
            raise BadFile(_INPUT_GONE)
        splitter = Splitter()
        try:
            async with aclosing(self._files.pieces(file)) as pieces:
                async for piece in pieces:
                    yield await asyncio.to_thread(splitter.feed, piece)
        except FileNotFoundError:
            raise BadFile(_INPUT_GONE) from None
        yield splitter.finish()

    async def _lines_left(self, batch: Batch) -> AsyncGenerator[RawLine, None]:
        """Yield the lines of the file that have no result yet. Raises BadFile."""
        done = await self.store.done(batch.id)
        async with aclosing(self._chunks_of(batch)) as chunks:
            async for lines in chunks:
                for line in lines:
                    if line.number not in done:
                        yield line

    async def _send_notices(self, webhook: Webhook) -> None:
        """Tell the webhook of the batches that have ended, one after the other."""
        try:
            while batch := await self.store.claim_notice(self.clock(), self.clock() + webhook.patience_s):
                pause_s = await webhook.send(batch, self.clock())
                await self.store.note_notice(batch.id, None if pause_s is None else self.clock() + pause_s)
        except StoreDown as error:
            self._note_unreachable(error)
        except Exception:
            # Nothing else has to be done, because the claim on this notice ends, and then the notice is due again.
            self._faults["webhook", "error"] += 1
            log.exception("telling_failed")

    def _note_unreachable(self, error: StoreDown) -> None:
        self._faults["store", "unreachable"] += 1
        log.warning("batches_not_reached", reason=str(error))
