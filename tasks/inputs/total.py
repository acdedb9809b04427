"""How much all inputs of one request may be together."""

from tasks.errors import InputTooLarge
from tasks.inputs.limits import megabytes


class Total:
    """Bytes that a request's sources may still take, of `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.left = limit

    def take(self, size: int, param: str) -> None:
        """Raises InputTooLarge (`request_too_large`) where less than `size` is left."""
        if size > self.left:
            raise self.passed(param)
        self.left -= size

    def passed(self, param: str) -> InputTooLarge:
        return InputTooLarge(
            f"The inputs of the request, up to '{param}', are more than {megabytes(self._limit)} together "
            "(OPENFAZE_MAX_TOTAL_MB).",
            code="request_too_large",
            param=param,
        )
