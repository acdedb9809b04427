"""Measures how much longer a script takes to start in the sandbox than in plain Python.

    .venv/bin/python -m bench.sandbox --rounds 30

Prints milliseconds from the call until the result of `print(1)` is there, by the clock (minimum, median) and of the
processor. Plain and sandboxed runs take turns, so that a busy machine slows both.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event

from models.sandbox.bubblewrap import BubblewrapEngine, SandboxJob
from models.sandbox.script import SandboxLimits, Script

AIM_MS = 60.0
"""Largest permitted difference to plain Python, in milliseconds."""


class Timed:
    def __init__(self, name: str, call: Callable[[], object]) -> None:
        self.name = name
        self._call = call
        self.clock: list[float] = []
        self.processor = 0.0

    def once(self) -> None:
        before, started = _processor_ms(), time.perf_counter()
        self._call()
        self.clock.append((time.perf_counter() - started) * 1000)
        self.processor += _processor_ms() - before

    def row(self) -> str:
        processor = self.processor / len(self.clock)
        return f"{self.name:12} {min(self.clock):8.1f} {statistics.median(self.clock):8.1f} {processor:10.1f}"


def _processor_ms() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds: int = parser.parse_args().rounds

    engine = BubblewrapEngine(SandboxLimits())
    engine.load()
    plain = Timed("plain", lambda: subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True))
    boxed = Timed("sandbox", lambda: engine.run([SandboxJob(Script("print(1)"), Event())]))
    for _ in range(rounds):
        plain.once()
        boxed.once()
    print(f"{'':12} {'min ms':>8} {'median':>8} {'processor':>10}")
    print(plain.row())
    print(boxed.row())
    above = statistics.median(boxed.clock) - statistics.median(plain.clock)
    print(f"above plain Python: {above:.1f} ms (aim {AIM_MS:g})")


if __name__ == "__main__":
    main()
