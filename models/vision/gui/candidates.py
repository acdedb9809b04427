"""The engines of the `gui_detection` capability, and how each is put together."""

from models.base import EngineSpec
from models.candidate import Built, Candidate, EngineConfig, is_installed
from models.device import available_cpus
from models.host import EngineHost, HostLimits


def _remedy(_: EngineConfig) -> str | None:
    return None if is_installed("cv2") else "Install the package 'opencv-python-headless'."


def _build(config: EngineConfig) -> Built:
    # Imported here: OpenCV and NumPy take memory that a server which never sees a picture need not spend.
    from models.vision.gui.elements import Found, HostedGuiDetector, Screen
    from models.vision.gui.engine import ContourEngine

    workers = config.threads or available_cpus()
    limits = HostLimits(max_queue=config.max_queue, workers=workers, idle_unload_s=config.idle_unload_s)
    host: EngineHost[Screen, Found] = EngineHost(CONTOURS.spec, ContourEngine, limits)
    return Built(HostedGuiDetector(host), (host,))


CONTOURS = Candidate(EngineSpec("contours", "gui_detection", "Apache-2.0", "inside this package"), _remedy, _build)
"""Its licence is this project's: it was made and trained here."""

GUI_DETECTION = (CONTOURS,)
