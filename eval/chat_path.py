"""Traces a streamed chat, a whole chat and a run task through a real server, in front of a scripted LLM server.

    .venv/bin/python -m eval.chat_path --list

It prints the files of `app`, `tasks` and `models` in which a function ran for the request, the async generators through
which every token goes, and how often a token calls or resumes a Python function. The first requests of a kind are left
out, because they load what later ones find. What runs in the background, too, does not count.
"""

import argparse
import json
import os
import signal
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import SERVE, serving

FEW, MANY = 40, 80
"""Tokens of the two answers whose difference is what a token costs."""
IDLE_S = 10.0
"""Time in which what runs in the background is traced."""
WARM_UPS = 3
"""Requests before the one that is traced."""
KEY = "sk-a-key-for-this-alone"
PAUSE_S = 0.01
"""Pause between two tokens, so that no two arrive together."""
PARTS = ("app", "tasks", "models")
ROOT = Path(__file__).resolve().parents[1]

TRACED = """
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

started, yielded = Counter(), Counter()
is_tracing = False


def profile(frame, event, value):
    if not is_tracing:
        return
    if event == "call":
        started[frame.f_code] += 1
    # An await yields, too, but only a value for the consumer is wrapped.
    elif event == "return" and type(value).__name__ == "async_generator_wrapped_value":
        yielded[frame.f_code] += 1


def begin(*_):
    global is_tracing
    started.clear()
    yielded.clear()
    is_tracing = True


def end(*_):
    global is_tracing
    is_tracing = False
    named = lambda counts: [[code.co_filename, code.co_qualname, count] for code, count in list(counts.items())]
    target = Path(os.environ["TRACE_TO"])
    half = target.with_suffix(".half")
    half.write_text(json.dumps({"started": named(started), "yielded": named(yielded)}))
    half.rename(target)


signal.signal(signal.SIGUSR1, begin)
signal.signal(signal.SIGUSR2, end)
threading.setprofile(profile)
sys.setprofile(profile)
"""
"""Beginning of the server's program: SIGUSR1 starts a trace, SIGUSR2 ends it and writes it to TRACE_TO."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--list", action="store_true", help="name the files and the generators, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRACE_TO"] = str(Path(folder) / "trace.json")
        with (
            serving_llm(_reply) as llm,
            serving(
                Path(folder) / "log", TRACED + SERVE, llm_base_url=llm.base_url, llm_model="scripted", api_keys=KEY
            ) as server,
        ):

            def traced(body: dict[str, Any] | None) -> dict[str, Any]:
                return _traced(server.base_url, server.process.pid, body)

            background = _functions(traced(None))
            bodies = {"streamed chat": _chat(FEW, stream=True), "whole chat": _chat(FEW), "run task": _run_task()}
            for name, body in bodies.items():
                for _ in range(WARM_UPS):
                    traced(body)
                trace = traced(body)
                files = _by_file(_functions(trace) - background)
                print(f"{name}: {len(files)} files")
                if arguments.list:
                    print(*(f"    {file}: {', '.join(names)}" for file, names in files.items()), sep="\n")
            few, many = (traced(_chat(tokens, stream=True)) for tokens in (FEW, MANY))
            passed = _a_token(few["yielded"], many["yielded"])
            calls = _a_token(few["started"], many["started"])
            print(f"generators a token: {sum(round(count) for count in passed.values())}")
            print(f"calls and resumptions of Python functions a token: {sum(calls.values()):.0f}")
            if arguments.list:
                print(*(f"    {count:.1f} {name}" for name, count in passed.items() if count >= 0.5), sep="\n")
                costly = sorted(calls.items(), key=lambda item: -item[1])
                print(*(f"    {count:.1f} {name}" for name, count in costly if count >= 0.5), sep="\n")


def _reply(body: dict[str, Any]) -> Reply:
    """Return as many tokens as the last message asks for."""
    tokens = int(body["messages"][-1]["content"].split()[-1])
    return Reply(chunks=[f"word{number} " for number in range(tokens)], delay_s=PAUSE_S)


def _chat(tokens: int, *, stream: bool = False) -> dict[str, Any]:
    words = f"Write a poem about the sea, with this number of words: {tokens}"
    return {"model": "auto", "messages": [{"role": "user", "content": words}], "stream": stream}


def _run_task() -> dict[str, Any]:
    messages = [
        {"role": "system", "content": "<task>ocr</task>"},
        {"role": "user", "content": [{"type": "file", "file": {"filename": "a.txt", "file_data": "aGVsbG8="}}]},
    ]
    return {"model": "auto", "messages": messages}


def _traced(base_url: str, pid: int, body: dict[str, Any] | None) -> dict[str, Any]:
    """Send a request, and return its trace. Without a body, return the trace of a server that nobody asks."""
    target = Path(os.environ["TRACE_TO"])
    target.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    time.sleep(0.3)
    if body is None:
        time.sleep(IDLE_S)
    else:
        _send(base_url, body)
    time.sleep(0.2)
    os.kill(pid, signal.SIGUSR2)
    while not target.exists():
        time.sleep(0.05)
    trace: dict[str, Any] = json.loads(target.read_text())
    return trace


def _send(base_url: str, body: dict[str, Any]) -> None:
    headers = {"x-bypass-cache": "true", "authorization": f"Bearer {KEY}"}
    response = httpx.post(f"{base_url}/v1/chat/completions", json=body, headers=headers, timeout=60, trust_env=False)
    response.raise_for_status()


def _functions(trace: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the functions that ran, as files and names."""
    inside = {(file.removeprefix(f"{ROOT}/"), name) for file, name, _ in trace["started"]}
    return {(file, name) for file, name in inside if file.partition("/")[0] in PARTS}


def _by_file(functions: set[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for file, name in sorted(functions):
        found[file].append(name)
    return found


def _a_token(few: list[Any], many: list[Any]) -> dict[str, float]:
    """Return what each function adds for each further token."""
    before = {(file, name): count for file, name, count in few}
    more = {(file, name): count - before.get((file, name), 0) for file, name, count in many}
    return {f"{Path(file).name}: {name}": count / (MANY - FEW) for (file, name), count in more.items() if count > 0}


if __name__ == "__main__":
    main()
