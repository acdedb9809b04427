"""A server on a device that is started again whenever it ends: a stream, a call that hangs, a card that is broken."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.runnable_commands import BODY, SAID
from models.devices.device import CPU
from tests.kit.servers.server import held_port

HANG, BREAK = "hang", "break"
PATIENCE_S = 300.0
DEADLINE_S = {CPU: 2.0}
"""Deadline of a call, by device: on a CPU, a call may take ten times as long."""
CARD_DEADLINE_S = 10.0
PROGRAM = """
import os, time
from pathlib import Path

from models.vision.ppocr.recognizer import LineRecognizer

run, asked = LineRecognizer.run, Path(os.environ["CARD_FAULT"])

def break_the_card():
    try:
        import torch
        can = torch.cuda.is_available()
    except ImportError:
        can = False
    if can:
        # Really: a kernel stops at an assertion, and CUDA refuses all further work of this process.
        torch.zeros(1, device="cuda")[torch.tensor([5], device="cuda")].cpu()
    raise RuntimeError("CUDA error: device-side assert triggered")

def faulty(self, batch):
    if asked.exists():
        fault = asked.read_text()
        asked.unlink()
        time.sleep(3600) if fault == "hang" else break_the_card()
    return run(self, batch)

LineRecognizer.run = faulty
from app.cli.main import main
main()
"""
"""A server whose recogniser of lines hangs, or breaks the card, when a file says so."""


@dataclass
class Kept:
    """A server that is started again whenever it ends."""

    url: str
    log: Path
    fault: Path
    """What this file says, the next call of the engine does."""
    statuses: list[int] = field(default_factory=list)
    """Exit statuses of the processes that ended by themselves."""

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/ready", trust_env=False, timeout=10).status_code == 200:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"the server is not ready after {PATIENCE_S} s:\n{self.log.read_text()[-4000:]}")

    def read(self) -> int:
        """Have a picture read, and return the status; 0 if the text is another."""
        answer = httpx.post(f"{self.url}/v1/chat/completions", json=BODY, trust_env=False, timeout=PATIENCE_S)
        return answer.status_code if answer.status_code != 200 or SAID in answer.text else 0


@contextlib.contextmanager
def kept_running(folder: Path, device: str) -> Iterator[Kept]:
    is_over = threading.Event()
    with held_port() as port, (folder / "log").open("wb") as log:
        one = Kept(f"http://127.0.0.1:{port}", folder / "log", folder / "fault")
        env = os.environ | {
            "OPENFAZE_PORT": str(port),
            "OPENFAZE_DEVICE": device,
            "OPENFAZE_PRELOAD": "ocr",
            "OPENFAZE_OPEN": "1",
            "OPENFAZE_CALL_DEADLINE_S": str(DEADLINE_S.get(device, CARD_DEADLINE_S)),
            "OPENFAZE_FILES_DIR": str(folder / "files"),
            "CARD_FAULT": str(one.fault),
        }

        def start() -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-c", PROGRAM, "serve"]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

        processes = [start()]

        def keep() -> None:
            while (status := processes[-1].wait()) is not None and not is_over.is_set():
                one.statuses.append(status)
                processes.append(start())

        supervisor = threading.Thread(target=keep)
        supervisor.start()
        try:
            one.wait_until_up()
            yield one
        finally:
            is_over.set()
            processes[-1].terminate()
            supervisor.join(PATIENCE_S)


def streamed(server: Kept) -> dict[str, Any]:
    """Have the LLM write, and return how the stream went."""
    body = {
        "model": "interfaze-beta",
        "stream": True,
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Tell me a story of a lighthouse."}],
    }
    started, arrived, last = time.perf_counter(), list[float](), ""
    url = f"{server.url}/v1/chat/completions"
    with httpx.stream("POST", url, json=body, trust_env=False, timeout=PATIENCE_S) as answer:
        status = answer.status_code
        for line in answer.iter_lines():
            if line.startswith("data: "):
                last = line.removeprefix("data: ")
                if '"content"' in last:
                    arrived.append(time.perf_counter() - started)
    found = {"status": status, "pieces": len(arrived), "whole": last == "[DONE]"}
    if len(arrived) > 1:
        pace = (len(arrived) - 1) / max(arrived[-1] - arrived[0], 1e-9)
        found |= {"first_ms": round(1000 * arrived[0]), "pieces_per_second": round(pace, 1)}
    return {**found, "ok": status == 200 and found["whole"] and bool(arrived)}


def fault(server: Kept, kind: str) -> dict[str, Any]:
    """Have the engine's next call hang or break the card, and return how the server ended and came back."""
    known, logged, started = len(server.statuses), server.log.stat().st_size, time.perf_counter()
    server.fault.write_text(kind)
    answered = server.read()
    deadline = time.monotonic() + PATIENCE_S
    while len(server.statuses) == known and time.monotonic() < deadline:
        time.sleep(0.1)
    ended_s = time.perf_counter() - started
    server.wait_until_up()
    again = server.read()
    with server.log.open("rb") as log:
        log.seek(logged)
        lines = [json.loads(line) for line in log if line.startswith(b"{")]
    reasons = [str(line["reason"]) for line in lines if line.get("event") == "engine_fault"]
    statuses = server.statuses[known:]
    return {
        "answered": answered,
        "exit_statuses": statuses,
        "reasons": reasons,
        "ended_after_s": round(ended_s, 1),
        "up_again_after_s": round(time.perf_counter() - started, 1),
        "answered_again": again,
        "ok": answered == 500 and statuses == [70] and len(reasons) == 1 and again == 200,
    }
