"""Whether work lets other threads in: how often it could have had to give its turn away."""

import sys
from collections.abc import Callable
from types import FrameType


def chances_of_others(work: Callable[[], object]) -> int:
    """Counts the calls that `work` makes: threads change between calls, and within one of C they never do.

    Whether a waiting thread takes its chance is the operating system's to say, so a count of its turns would depend on
    how busy the machine is.
    """
    chances = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal chances
        chances += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return chances
