"""Declaration of the capabilities `gui_detection` and `gui_grounding`: their engines, and how each is built."""

from collections.abc import Callable
from functools import partial

from models.base import EngineSpec, available_cpus
from models.capability import BadResult, Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, is_installed
from models.hosts.host import EngineHost
from models.language.capability import LLM, LlmSettings
from models.vision.gui.elements import GuiDetector, GuiGrounder
from models.vision.ocr.capability import OCR
from models.vision.text import Image

_VLM = "vlm"
_ASK_IF_WORDS_FAIL = "auto"
"""Choice of OPENFAZE_GUI_DETECTION with which an LLM, if there is one, is asked only if the words of a request do not
determine an element."""


class GuiSettings(OwnSettings):
    gui_detection: str = "auto"
    """An [engine](gui-detection.md), or `auto`."""


def _cv2_remedy() -> str | None:
    return None if is_installed("cv2") else "Install the package 'opencv-python-headless'."


def _vlm_remedy(config: EngineConfig) -> str | None:
    return _cv2_remedy() if config.of(GuiSettings).gui_detection == _VLM else ""


def _build_contours(spec: EngineSpec, config: EngineConfig) -> Built:
    # Imported late, because OpenCV and NumPy would take memory in a server that never gets a picture.
    from models.vision.gui.elements import Found, Screen
    from models.vision.gui.engine import ContourEngine

    workers = config.threads or available_cpus()
    # Proposing and judging the boxes of a part of a large screen takes tenths of a second, for which OCR of other keys
    # would wait.
    limits = config.limits(workers=workers)
    host: EngineHost[Screen, Found] = EngineHost(spec, ContourEngine, limits)
    return Built(GuiDetector(host), (host,))


def _grounder_remedy(config: EngineConfig) -> str | None:
    chosen = config.of(GuiSettings).gui_detection
    if chosen not in (_VLM, _ASK_IF_WORDS_FAIL):
        return f"With OPENFAZE_GUI_DETECTION={chosen}, no LLM is asked."
    if config.of(LlmSettings).llm_base_url is None:
        return "Set OPENFAZE_LLM_BASE_URL to an OpenAI-compatible server whose model sees pictures."
    return None


def _grounder(config: EngineConfig, engines: Engines) -> GuiGrounder:
    from models.vision.gui.grounder import LlmGrounder

    return LlmGrounder(partial(engines.use, LLM), always=config.of(GuiSettings).gui_detection == _VLM)


def _contour_candidate(name: str, licence: str, where: str, remedy: Callable[[EngineConfig], str | None]) -> Candidate:
    spec = EngineSpec(name, "gui_detection", licence, where)
    return Candidate(spec, remedy, partial(_build_contours, spec))


CONTOURS = _contour_candidate("contours", "Apache-2.0", "inside this package", lambda _: _cv2_remedy())
"""Engine whose network was trained in this project, and therefore has the project's licence."""
VLM = _contour_candidate(
    _VLM, "Apache-2.0; the model's", "inside this package; those of the capability 'llm'", _vlm_remedy
)
"""Engine with the boxes of `contours`. With this choice, an LLM always decides which of them a request means."""


async def _find_a_button(engines: Engines) -> str:
    pixels = _draw_form()
    lines = await engines.use(OCR).read(pixels)
    found = await engines.use(GUI_DETECTION).detect(pixels, lines)
    if [one.type for one in found if one.text == "Continue"] != ["button"]:
        raise BadResult(f"finds {[one.type for one in found]} where the picture shows a button")
    return "found a button"


async def _point_at_a_button(engines: Engines) -> str:
    llm, grounder = engines.use(LLM), engines.use(GUI_GROUNDING)
    if not (await llm.abilities()).vision:
        return f"{llm.name} sees no pictures: words alone tell which element is meant"
    pixels = _draw_form()
    lines = await engines.use(OCR).read(pixels)
    found = await engines.use(GUI_DETECTION).detect(pixels, lines)
    chosen = await grounder.ground("where do I click to go on?", pixels, found, lines)
    if chosen is None or [one.text for one in chosen] != ["Continue"]:
        raise BadResult(f"{llm.name} does not point at the only button of a picture")
    return f"{llm.name} pointed at a button"


def _draw_form() -> Image:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((40, 120, 180, 160), 6, fill=(37, 99, 235))
    draw.text((110, 140), "Continue", fill="white", font=ImageFont.load_default(16), anchor="mm")
    draw.text((40, 60), "One more step", fill="black", font=ImageFont.load_default(16))
    return np.asarray(picture)


GUI_DETECTION: Capability[GuiDetector] = Capability(
    "gui_detection", (CONTOURS, VLM), _find_a_button, GuiSettings, order=50
)

GUI_GROUNDING: Capability[GuiGrounder] = Capability(
    "gui_grounding",
    (
        Candidate(
            EngineSpec(_VLM, "gui_grounding", "the model's", "those of the capability 'llm'"),
            _grounder_remedy,
            build_around=_grounder,
        ),
    ),
    _point_at_a_button,
    order=60,
)
"""Capability that decides, from the picture, which elements a request means. It complements `gui_detection`."""
