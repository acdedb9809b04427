"""Errors that a client can correct or retry. `app/errors.py` gives them their HTTP status."""

from collections.abc import Iterable


def field_path(steps: Iterable[int | str]) -> str:
    """Return the path of a field as clients write it: `("messages", 0, "role")` becomes `messages[0].role`."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


class InputError(Exception):
    """Raised for an input that cannot be used. `message` names the field, the limit and the value.

    `code` is one of the codes of the HTTP contract (`invalid_request`, `unsupported_media_type`, `url_not_allowed`,
    `fetch_failed`, …); `param` is the field's path, such as `messages[0].content[1].image_url.url`.
    """

    def __init__(self, message: str, *, code: str = "invalid_request", param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param


class InputTooLarge(InputError):
    """Raised for an input that is larger than a limit allows (413, where an InputError is a 400)."""

    def __init__(self, message: str, *, code: str = "file_too_large", param: str | None = None) -> None:
        super().__init__(message, code=code, param=param)


class Overloaded(Exception):
    """Raised if the input is valid, but the server has no room for it now (503). `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
