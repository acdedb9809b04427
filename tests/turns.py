"""Whether work lets other threads in: how often another one has its turn meanwhile."""

import sys
import threading
from collections.abc import Callable


def turns_of_others(work: Callable[[], object]) -> int:
    """How often another thread, which always wants to, ran while `work` did. Within one call of C it never does."""
    turns = 0
    ended, begun = threading.Event(), threading.Event()

    def take_turns() -> None:
        nonlocal turns
        while not ended.is_set():
            turns += 1
            begun.set()
            # Whoever gives its turn away has another one only when somebody else had one.
            ended.wait(1e-6)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    other = threading.Thread(target=take_turns)
    other.start()
    try:
        begun.wait()
        before = turns
        work()
        return turns - before
    finally:
        ended.set()
        other.join()
        sys.setswitchinterval(interval)
