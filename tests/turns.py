"""What work costs, and whether it lets other threads in, by the functions that it calls: no matter what else runs."""

import sys
from collections.abc import Callable


def calls_of(work: Callable[[], object]) -> int:
    """Functions called while `work` runs, of Python and of C.

    Threads change between calls, and within one of C they never do: so often other threads may have their turn.
    """
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
