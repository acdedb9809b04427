"""OmniParser's icon detector, with random weights: both forms in which it is published, beside our own engine."""

import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from eval.gui.truth import iou
from models.base import EngineUnavailable
from models.capability import Built, EngineConfig
from models.vision.gui import omniparser
from models.vision.gui.capability import OMNIPARSER, GuiSettings
from models.vision.gui.elements import TYPES, GuiDetector, GuiElement
from models.vision.gui.omniparser import ScriptedIcons, is_script
from tests.engines.torch.small_networks import save_random_icons, save_still_icons, stand_in_for_torchvision
from tests.screens import DrawnScreen, sign_up

# Deprecations within ultralytics and PyTorch are theirs.
pytestmark = pytest.mark.filterwarnings("ignore")
needs_ultralytics = pytest.mark.skipif(
    importlib.util.find_spec("ultralytics") is None, reason="needs the package ultralytics"
)

Opened = Callable[[Path], GuiDetector]


def chosen(model: Path | None) -> EngineConfig:
    return EngineConfig(
        device="cpu", own=[GuiSettings.model_construct(gui_detection="omniparser", gui_detection_model=model)]
    )


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """From a network's file to the detector that it makes."""
    async with AsyncExitStack() as stack:

        def make(model: Path) -> GuiDetector:
            assert OMNIPARSER.build is not None
            built: Built = OMNIPARSER.build(chosen(model))
            for part in built.parts:
                stack.push_async_callback(part.close)
            service: GuiDetector = built.service
            return service

        yield make


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A YOLO of ultralytics, saved as its training saves it. Random weights are sure of nothing."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    stand_in_for_torchvision(monkeypatch)
    monkeypatch.setattr(omniparser, "LEAST_SCORE", 1e-6)
    import ultralytics

    [config] = Path(ultralytics.__file__).parent.joinpath("cfg", "models").rglob("yolo11.yaml")
    # The letter chooses the size; the file is one for all.
    (tmp_path / "yolo11n.yaml").write_text(config.read_text())
    ultralytics.YOLO(tmp_path / "yolo11n.yaml", task="detect").save(tmp_path / "icons.pt")
    return tmp_path / "icons.pt"


@needs_ultralytics
async def test_icons_of_a_checkpoint_join_our_elements(opened: Opened, checkpoint: Path) -> None:
    form = sign_up()
    found = await opened(checkpoint).detect(form.screen.image, form.screen.lines)
    check(found, form.screen)
    for name, kind in (("email", "input"), ("terms", "checkbox"), ("create", "button")):
        best = max(found, key=lambda one: iou(one.box, form.boxes[name]))
        assert best.type == kind, name


@needs_ultralytics
@pytest.mark.parametrize("shape", [(1, 1), (8, 300), (40, 3000), (300, 20)])
async def test_pictures_of_any_shape_are_searched(opened: Opened, checkpoint: Path, shape: tuple[int, int]) -> None:
    await opened(checkpoint).detect(np.full((*shape, 3), 200, np.uint8), [])


async def test_icons_of_torchscript_join_our_elements(opened: Opened, tmp_path: Path) -> None:
    form = sign_up(2)
    detector = opened(save_random_icons(tmp_path / "icons.pt"))
    found = await detector.detect(form.screen.image, form.screen.lines)
    check(found, form.screen)
    assert await detector.detect(form.screen.image, form.screen.lines) == found
    assert max(found, key=lambda one: iou(one.box, form.boxes["create"])).type == "button"


def test_a_box_of_torchscript_lies_where_its_cell_says(tmp_path: Path) -> None:
    network = ScriptedIcons(save_still_icons(tmp_path / "icons.pt", row=3, column=5, stride=16), device="cpu")
    network.load()
    # 200 × 120 pixels lie in the middle of 224 × 128.
    boxes, scores = network.find(np.zeros((120, 200, 3), np.uint8))
    middle_x, middle_y = 5.5 * 16 - 12, 3.5 * 16 - 4
    expected = [middle_x - 1 * 16, middle_y - 0.5 * 16, middle_x + 2 * 16, middle_y + 1.5 * 16]
    np.testing.assert_allclose(boxes, [expected], atol=1e-3)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2))], atol=1e-3)


async def test_torchscript_of_another_form_is_refused(opened: Opened, tmp_path: Path) -> None:
    import torch

    model = tmp_path / "other.pt"
    torch.jit.trace(torch.nn.Conv2d(3, 2, 3), torch.rand(1, 3, 64, 64)).save(model)
    with pytest.raises(EngineUnavailable, match="not a detector like OmniParser's icon_detect_v3"):
        await opened(model).detect(sign_up().screen.image, [])


def test_the_two_forms_are_told_apart(tmp_path: Path) -> None:
    import torch

    torch.save({"model": torch.zeros(2)}, tmp_path / "checkpoint.pt")
    assert not is_script(tmp_path / "checkpoint.pt")
    assert is_script(save_random_icons(tmp_path / "script.pt"))


def check(found: list[GuiElement], screen: DrawnScreen) -> None:
    """Elements lie in the picture, some of them are icons that it alone finds, and come in reading order."""
    width, height = screen.image.shape[1], screen.image.shape[0]
    assert {one.type for one in found} <= set(TYPES)
    assert any(one.type == "icon" for one in found)
    assert [one.box[1] for one in found] == sorted(one.box[1] for one in found)
    for one in found:
        assert one.score is not None
        assert 0 < one.score <= 1
        assert -3 <= one.box[0] <= one.box[2] <= width + 3
        assert -3 <= one.box[1] <= one.box[3] <= height + 3
