"""The engines of the `gui_detection` and `gui_grounding` capabilities, and how each is put together."""

from collections.abc import Callable
from functools import partial

from models.base import EngineSpec, EngineUnavailable
from models.candidate import Built, Candidate, EngineConfig, Others, is_installed
from models.device import available_cpus
from models.host import EngineHost, HostLimits

_LICENCES = (
    "OmniParser's icon_detect is AGPL-3.0, which covers a service that uses it; its icon_detect_v3 is MIT and needs "
    "PyTorch alone."
)
_VLM = "vlm"
_OMNIPARSER = "omniparser"
_ASKS_WHERE_WORDS_FAIL = ("auto", _OMNIPARSER)
"""Choices of OPENFAZE_GUI_DETECTION by which an LLM that is there anyway is asked where words alone do not tell."""


def _cv2_remedy() -> str | None:
    return None if is_installed("cv2") else "Install the package 'opencv-python-headless'."


def _vlm_remedy(config: EngineConfig) -> str | None:
    return _cv2_remedy() if config.gui.engine == _VLM else ""


def _contours(spec: EngineSpec, config: EngineConfig) -> Built:
    # Imported here: OpenCV and NumPy take memory that a server which never sees a picture need not spend.
    from models.vision.gui.elements import Found, HostedGuiDetector, Screen
    from models.vision.gui.engine import ContourEngine

    workers = config.threads or available_cpus()
    limits = HostLimits(max_queue=config.max_queue, workers=workers, idle_unload_s=config.idle_unload_s)
    host: EngineHost[Screen, Found] = EngineHost(spec, ContourEngine, limits)
    return Built(HostedGuiDetector(host), (host,))


def _omniparser_remedy(config: EngineConfig) -> str | None:
    if config.gui.engine != _OMNIPARSER:
        return ""
    from models.vision.gui.icons import icon_file, is_script

    try:
        model = icon_file(config.gui.model)
    except EngineUnavailable as error:
        return f"{error.remedy} {_LICENCES}"
    if is_script(model):
        return None if is_installed("torch") else "Install PyTorch: `openfaze install gpu`."
    return None if is_installed("ultralytics") else f"Install ultralytics: `openfaze install ultralytics`. {_LICENCES}"


def _build_omniparser(config: EngineConfig) -> Built:
    from models.vision.gui.elements import Found, HostedGuiDetector, Screen
    from models.vision.gui.icons import icon_file, icon_network
    from models.vision.gui.omniparser import OmniParserEngine

    model = icon_file(config.gui.model)
    limits = HostLimits(max_queue=config.max_queue, idle_unload_s=config.idle_unload_s)
    host: EngineHost[Screen, Found] = EngineHost(
        OMNIPARSER.spec, lambda: OmniParserEngine(icon_network(model, device=config.device)), limits
    )
    return Built(HostedGuiDetector(host), (host,))


def _grounder_remedy(config: EngineConfig) -> str | None:
    if config.gui.engine not in (_VLM, *_ASKS_WHERE_WORDS_FAIL):
        return f"OPENFAZE_GUI_DETECTION={config.gui.engine} asks no LLM."
    if config.llm.base_url is None:
        return "Set OPENFAZE_LLM_BASE_URL to an OpenAI-compatible server whose model sees pictures."
    return None


def _grounder(config: EngineConfig, others: Others) -> object:
    from models.vision.gui.grounder import LlmGrounder

    return LlmGrounder(others.llm, always=config.gui.engine == _VLM)


def _around_contours(name: str, licence: str, where: str, remedy: Callable[[EngineConfig], str | None]) -> Candidate:
    spec = EngineSpec(name, "gui_detection", licence, where)
    return Candidate(spec, remedy, partial(_contours, spec))


CONTOURS = _around_contours("contours", "Apache-2.0", "inside this package", lambda _: _cv2_remedy())
"""Its licence is this project's: it was made and trained here."""
VLM = _around_contours(
    _VLM, "Apache-2.0; the model's", "inside this package; those of the capability 'llm'", _vlm_remedy
)
"""The boxes of `contours`; who names it has an LLM say which of them are meant, whatever words alone tell."""
OMNIPARSER = Candidate(
    EngineSpec(_OMNIPARSER, "gui_detection", "AGPL-3.0 (icon_detect_v3: MIT)", "the file OPENFAZE_GUI_DETECTION_MODEL"),
    _omniparser_remedy,
    _build_omniparser,
)

GUI_DETECTION = (CONTOURS, VLM, OMNIPARSER)

GUI_GROUNDING = (
    Candidate(
        EngineSpec(_VLM, "gui_grounding", "the model's", "those of the capability 'llm'"),
        _grounder_remedy,
        over=_grounder,
    ),
)
"""What tells which elements are meant by looking at them, beside the engine of `gui_detection`."""
