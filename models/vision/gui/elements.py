"""What finding the elements of a user interface yields, whichever engine finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.host import EngineHost
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
"""Everything that an element may be."""


@dataclass(frozen=True, slots=True)
class GuiElement:
    type: str
    """One of TYPES."""
    score: float | None
    """0 to 1: the probability that it can be clicked, of an image that it is one, of a text that it was read right.
    None where nothing has measured it: an LLM says where it sees an element, not how sure that is."""
    box: Box
    text: str = ""
    """What is written in it, as OCR read it; lines are joined by a space."""


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """What one call of an engine is asked."""

    image: Image
    lines: tuple[TextLine, ...]
    """What OCR reads in `image`."""


class GuiDetector(Protocol):
    """The `gui_detection` capability."""

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        """The elements of `image`, in reading order; none where it shows no user interface. The same picture and lines
        give the same elements. With `wait`, a full queue is waited for instead of raising EngineOverloaded.

        Raises EngineOverloaded, EngineUnavailable, EngineFailed.
        """


class GuiGrounder(Protocol):
    """The `gui_grounding` capability."""

    @property
    def always(self) -> bool:
        """Whether it is to be asked even where words alone tell one element."""

    async def ground(
        self, wanted: str, image: Image, elements: Sequence[GuiElement], lines: Sequence[TextLine]
    ) -> list[GuiElement] | None:
        """The elements, of `elements` and others that they lack, which `wanted` means, in reading order; all of them
        where it means the screen as a whole. None where it cannot tell: the log says why.

        `wanted` is what somebody asked for; `lines` are what OCR reads in `image`.
        """


Found = tuple[GuiElement, ...]


class HostedGuiDetector:
    """A GuiDetector over the host of an engine from screens to what they show."""

    def __init__(self, host: EngineHost[Screen, Found]) -> None:
        self._host = host

    async def detect(self, image: Image, lines: Sequence[TextLine], *, wait: bool = False) -> list[GuiElement]:
        return list(await self._host.run(Screen(image, tuple(lines)), wait=wait))
