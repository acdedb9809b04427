"""How long a part of a call may take, such as one page, where native code does it that nothing in the process ends."""

from collections.abc import Callable

from tasks.errors import InputError

Teller = Callable[[float, InputError], None]

_teller: Teller | None = None


def allow(seconds: float, error: InputError) -> None:
    """Has the process ended if the call that runs is not over, or does not `allow` itself more, after so many seconds;
    the client is told `error`. Without a process of its own, the call goes on."""
    if _teller:
        _teller(seconds, error)


def tell_by(teller: Teller) -> None:
    """Has whoever ends this process told by `teller`."""
    global _teller
    _teller = teller
