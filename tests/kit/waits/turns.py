"""Cost of work, and opportunities for other threads, counted in calls of functions, whatever the machine's load."""

import sys
from collections.abc import Callable


def calls_of(work: Callable[[], object]) -> int:
    """Return the number of functions, of Python and of C, called while `work` runs.

    Threads change between calls, but never within a call of C. The number is thus the number of opportunities for
    other threads.
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
