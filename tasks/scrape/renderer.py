"""What a browser does for the scraper, whichever it is."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rendered:
    html: bytes
    """UTF-8."""
    url: str
    """Where the browser was in the end."""


class Renderer(Protocol):
    async def render(self, url: str, *, param: str | None = None) -> Rendered:
        """The page once its scripts have run. Raises InputError and ModelError."""
