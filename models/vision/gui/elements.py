"""Results and interfaces of the detection of user interface elements, common to all engines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.hosts.host import EngineHost
from models.vision.text import Image, TextLine

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture."""

INTERACTIVE = (
    "button",
    "input",
    "textarea",
    "select",
    "checkbox",
    "radio",
    "switch",
    "slider",
    "tab",
    "link",
    "icon",
    "menu",
)
TYPES = (*INTERACTIVE, "image", "text")
"""All types of elements."""


@dataclass(frozen=True, slots=True)
class GuiElement:
    type: str
    """Type of the element, one of TYPES."""
    score: float | None
    """Probability from 0 to 1 that the element can be clicked; for an image, that it is an image; for a text, that it
    was read correctly. None if the probability is unknown: an LLM gives the place of an element, but no probability."""
    box: Box
    text: str = ""
    """Text in the element, read by OCR; lines are joined by a space."""


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """Input of an engine: a screenshot and the text in it."""

    image: Image
    lines: tuple[TextLine, ...]
    """Lines that OCR reads in `image`."""


Found = tuple[GuiElement, ...]


class GuiDetector:
    """Interface of the `gui_detection` capability. The engine computes the elements of a Screen in an EngineHost."""

    def __init__(self, host: EngineHost[Screen, Found]) -> None:
        self._host = host

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        """Return the elements of `image` in reading order; none if it shows no user interface. Equal pictures and lines
        give equal elements.

        If the queue is full, the call waits if `wait` is true, and raises EngineOverloaded if not. Also raises
        EngineUnavailable and EngineFailed.
        """
        return list(await self._host.run(Screen(image, tuple(lines)), wait=wait))


class GuiGrounder(Protocol):
    """Interface of the `gui_grounding` capability."""

    @property
    def always(self) -> bool:
        """True if the grounder is asked even if the words of a request determine one element."""

    async def ground(
        self, wanted: str, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
    ) -> list[GuiElement] | None:
        """Return the elements that `wanted` means, in reading order, or all elements if it means the whole screen. The
        result may contain elements that are not among `elements`. Return None if the grounder cannot decide; the cause
        is logged.

        `wanted` is the user's request; `lines` are the text that OCR reads in `image`.
        """
