"""PaddleOCR-VL in transformers: loading, writing, and pages that it reads after PP-OCR."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from models.base import EngineOverloaded, EngineUnavailable
from models.capability import Built, EngineConfig
from models.vision.ocr.capability import PADDLEOCR_VL, PP_OCR_V6_SMALL, OcrSettings
from models.vision.ocr.paddleocr_vl import LineReading, PaddleOcrVl
from models.vision.text import Image, TextLine
from tests.extras.engines.torch.small_page_reader import save_page_reader

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]

WORDS = ("open", " face", " 2026")


def picture(seed: int = 0, height: int = 40, width: int = 300) -> Image:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


PICTURES = [picture(), picture(1, 140, 200), picture(2, 30, 30), picture(3, 25, 900)]


def engine_of(folder: Path) -> PaddleOcrVl:
    engine = PaddleOcrVl(folder, device="cpu")
    engine.load()
    return engine


def transcripts(engine: PaddleOcrVl, pictures: Sequence[Image]) -> list[LineReading]:
    results = engine.run(pictures)
    assert all(isinstance(one, LineReading) for one in results)
    return list(results)  # type: ignore[arg-type]


def test_what_it_writes_comes_with_its_probability(tmp_path: Path) -> None:
    [written] = transcripts(engine_of(save_page_reader(tmp_path, WORDS)), [picture()])
    assert written.text == "open face 2026"
    assert 0.99 < written.confidence <= 1


def test_it_writes_what_the_network_would_write_by_itself(tmp_path: Path) -> None:
    """With weights that mean nothing, by the example in transformers' page on it."""
    import torch
    from transformers import (
        AutoTokenizer,
        PaddleOCRVLForConditionalGeneration,
        PaddleOCRVLImageProcessorPil,
        PaddleOCRVLProcessor,
    )

    words = tuple(f" w{number}" for number in range(60))
    folder = save_page_reader(tmp_path, words, random=True)
    engine, tokenizer = engine_of(folder), AutoTokenizer.from_pretrained(folder)
    pictures = PaddleOCRVLImageProcessorPil.from_pretrained(folder)
    processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
    network = PaddleOCRVLForConditionalGeneration.from_pretrained(folder)
    said = set()
    for one in PICTURES:
        content = [{"type": "image", "image": Pillow.fromarray(one)}, {"type": "text", "text": "OCR:"}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            ids = network.generate(**inputs, max_new_tokens=40, do_sample=False)
        expected = tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        [written] = transcripts(engine, [one])
        assert written.text[: len(expected)] == expected[: len(written.text)]
        said.add(written.confidence)
    assert len(said) == len(PICTURES)


def test_its_folder_as_it_is_published_runs_none_of_the_python_files_in_it(tmp_path: Path) -> None:
    save_page_reader(tmp_path, WORDS)
    config, pictures = tmp_path / "config.json", tmp_path / "preprocessor_config.json"
    told = json.loads(config.read_text())
    text = told.pop("text_config")
    rope = text.pop("rope_parameters")
    told = text | told | {"rope_theta": rope["rope_theta"]}
    told["rope_scaling"] = {"mrope_section": rope["mrope_section"], "rope_type": "default", "type": "default"}
    told["vision_config"]["model_type"] = "paddleocr_vl"
    told["auto_map"] = {"AutoConfig": "configuration_paddleocr_vl.PaddleOCRVLConfig"}
    config.write_text(json.dumps(told))
    told = json.loads(pictures.read_text()) | {"image_processor_type": "PaddleOCRVLImageProcessor"}
    told["auto_map"] = {"AutoImageProcessor": "image_processing.PaddleOCRVLImageProcessor"}
    pictures.write_text(json.dumps(told))
    for module in ("configuration_paddleocr_vl", "image_processing"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('this was run')")
    assert [one.text for one in transcripts(engine_of(tmp_path), [picture()])] == ["open face 2026"]


def page(*rows: str) -> Image:
    picture = Pillow.new("RGB", (700, 60 + 60 * len(rows)), "white")
    for number, text in enumerate(rows):
        ImageDraw.Draw(picture).text((24, 30 + 60 * number), text, fill="black", font=ImageFont.load_default(40))
    return np.asarray(picture)


async def read(built: Built, *pages: Image) -> list[list[TextLine]]:
    found = await asyncio.gather(*(built.service.read(one, wait=True) for one in pages))
    return [sorted(lines, key=lambda line: line.quad[0][1]) for lines in found]


async def both(root: Path, *pages: Image) -> list[list[list[TextLine]]]:
    """What PP-OCR alone reads, and the two together."""
    config = EngineConfig(weights_dir=root, device="cpu", own=[OcrSettings(ocr="paddleocr-vl")])
    assert PADDLEOCR_VL.remedy(config) is None
    results = []
    for engine in (PP_OCR_V6_SMALL, PADDLEOCR_VL):
        assert engine.build is not None
        built = engine.build(config)
        results.append(await read(built, *pages))
        assert all(part.loaded for part in built.parts)
        for part in built.parts:
            await part.close()
    return results


async def test_letters_come_from_it_and_boxes_from_pp_ocr(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", ("openface", " 2026"))
    # Letters five pixels high, of which PP-OCR is not sure.
    sharp = Pillow.fromarray(page("openfaze 2026", "another line"))
    blurred = np.asarray(sharp.resize((100, 25), Pillow.Resampling.BOX))
    [before], [after] = await both(tmp_path, blurred)
    assert before[0].words[0].text != "openface"
    assert before[0].words[0].confidence < 0.95
    assert [line.text for line in after] == ["openface 2026", before[1].text]
    assert after[0].words[0].confidence > 0.99
    assert [line.quad for line in after] == [line.quad for line in before]
    for one, other in zip(before, after, strict=True):
        assert [word.quad for word in one.words] == [word.quad for word in other.words]
    assert after[0].words[1:] == before[0].words[1:]


async def test_pages_beyond_those_that_may_wait_are_refused_unless_they_may_take_their_time(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", WORDS)
    assert PADDLEOCR_VL.build is not None
    built, shown = PADDLEOCR_VL.build(EngineConfig(weights_dir=tmp_path, device="cpu", max_queue=1)), page("a page")
    hasty = await asyncio.gather(*(built.service.read(shown) for _ in range(9)), return_exceptions=True)
    # Four are read at a time, and one may wait.
    assert [isinstance(one, EngineOverloaded) for one in hasty] == [False] * 5 + [True] * 4
    assert await read(built, *[shown] * 9) == [hasty[0]] * 9
    for part in built.parts:
        await part.close()


async def test_another_model_in_its_folder_is_refused(tmp_path: Path) -> None:
    save_page_reader(tmp_path / "paddleocr-vl", WORDS, kind="qwen2_vl")
    assert PADDLEOCR_VL.build is not None
    built = PADDLEOCR_VL.build(EngineConfig(weights_dir=tmp_path, device="cpu"))
    with pytest.raises(EngineUnavailable, match="holds no PaddleOCR-VL"):
        await read(built, page("openfaze"))
    for part in built.parts:
        await part.close()
