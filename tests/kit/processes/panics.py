"""An error as libraries in Rust raise it when they panic."""

from typing import NoReturn


class Panic(BaseException):
    pass


def panic() -> NoReturn:
    raise Panic("secret")
