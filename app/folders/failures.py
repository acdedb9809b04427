"""The exceptions whose messages people read."""


class Failed(Exception):
    """Raised if a command cannot do its work. The message says why and what to do."""


class Rejected(Exception):
    """Raised if a request of the review's page cannot be done, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
