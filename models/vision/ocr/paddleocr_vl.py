"""PaddleOCR-VL by transformers: an `ocr` engine that has the lines which PP-OCR found read once more, by a network that
sees the whole block in which they stand. It is made to read one block of a page at a time."""

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineUnavailable
from models.device import CPU, TORCH
from models.host import EngineHost
from models.scheduler import FairSlots
from models.vision.ocr.regions import TextRegion, regions_of
from models.vision.ocr.second_reading import RegionTranscript, aligned
from models.vision.text import Image, PageReader, TextLine

OTHER_MODEL = "The folder 'paddleocr-vl' of OPENFAZE_WEIGHTS_DIR holds no PaddleOCR-VL."

_PROMPT = "OCR:"
"""What it is trained to be told for a block of text."""
_SPARE_TOKENS, _TOKENS_A_LETTER = 32, 2
"""It may write so much more than PP-OCR read: a token is a letter or several, or a part of a rare one."""
_PAGES_AT_ONCE = 4
"""Whose blocks are read: the pictures of their pages are in memory."""
_LOOP, _ROUNDS, _PERIOD = 48, 3, 64
"""Tokens that only repeat what stands before them, how often, and how many at a time, before it is stopped."""
_LOOK_EVERY = 16
"""Tokens after which circles are looked for."""


def repeated(tokens: Sequence[int]) -> int:
    """How many tokens at the end only go round in a circle, if these are so many that no page has them."""
    for period in range(1, _PERIOD + 1):
        count = 0
        while count + period < len(tokens) and tokens[-1 - count] == tokens[-1 - count - period]:
            count += 1
        if count >= max(_LOOP, _ROUNDS * period):
            return count
    return 0


class _Brakes:
    """Ends texts that are as long as they may be, or go round in circles: a StoppingCriteria of transformers."""

    def __init__(self, start: int, most: Sequence[int]) -> None:
        """`start`: tokens of the prompt. `most`: those that may follow, for each text."""
        self._start = start
        self._most = most

    def __call__(self, ids: Any, _scores: Any, **_: object) -> Any:
        import torch

        count = ids.shape[1] - self._start
        done = [count >= most for most in self._most]
        if count % _LOOK_EVERY == 0 and count > _LOOP:
            tails = ids[:, self._start :][:, -(_LOOP + _ROUNDS * _PERIOD) - _PERIOD :].tolist()
            done = [end or repeated(tail) > 0 for end, tail in zip(done, tails, strict=True)]
        return torch.tensor(done, device=ids.device)


class _Likely:
    """Remembers how likely the likeliest token was, which is the one that is written: a LogitsProcessor of
    transformers. The scores of all tokens would fill a card."""

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def __call__(self, _ids: Any, scores: Any) -> Any:
        import torch

        self.steps.append(torch.softmax(scores.float(), -1).amax(-1))
        return scores


class PaddleOcrVl:
    """From Regions to Transcripts. Implements `models.base.Engine`."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` as `save_pretrained` and the model hubs lay it out (PaddlePaddle/PaddleOCR-VL)."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, Any, str, str] | None = None

    def load(self) -> None:
        """Raises EngineUnavailable where the folder holds another model."""
        import torch
        from transformers import (
            AutoConfig,
            AutoImageProcessor,
            AutoTokenizer,
            PaddleOCRVLForConditionalGeneration,
            PaddleOCRVLProcessor,
        )

        device = TORCH.check(self._device, "ocr")
        # The repository has Python files from before transformers knew the model: they are not run.
        here = {"local_files_only": True, "trust_remote_code": False}
        if AutoConfig.from_pretrained(self._folder, **here).model_type != "paddleocr_vl":
            raise EngineUnavailable("ocr", OTHER_MODEL)
        tokenizer = AutoTokenizer.from_pretrained(self._folder, padding_side="left", **here)
        if not tokenizer.chat_template:
            raise EngineUnavailable("ocr", OTHER_MODEL)
        # The other backend wants torchvision, which nothing else here does.
        pictures = AutoImageProcessor.from_pretrained(self._folder, backend="pil", **here)
        processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
        # Processors compute slowly, or not at all, in 16 bits.
        dtype = torch.float32 if device == CPU else torch.bfloat16
        network = PaddleOCRVLForConditionalGeneration.from_pretrained(self._folder, local_files_only=True, dtype=dtype)
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _PROMPT}]}]
        prompt = processor.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
        self._loaded = processor, network.to(device).eval(), device, prompt

    def run(self, batch: Sequence[TextRegion]) -> Sequence[RegionTranscript | Exception]:
        import torch

        assert self._loaded is not None, "load() comes first"
        processor, network, device, prompt = self._loaded
        inputs = processor(
            images=[np.ascontiguousarray(region.picture) for region in batch],
            text=[prompt] * len(batch),
            padding=True,
            return_tensors="pt",
        ).to(device)
        start, likely = inputs["input_ids"].shape[1], _Likely()
        most = [_SPARE_TOKENS + _TOKENS_A_LETTER * region.letters for region in batch]
        with torch.inference_mode():
            written = network.generate(
                **inputs,
                max_new_tokens=max(most),
                do_sample=False,
                use_cache=True,  # the published folder says no
                logits_processor=[likely],
                stopping_criteria=[_Brakes(start, most)],
                pad_token_id=processor.tokenizer.pad_token_id,
            )
        sure = torch.stack(likely.steps, 1).cpu().tolist()
        rows = written[:, start:].tolist()
        return [
            _transcript(processor.tokenizer, self._until_the_end(row[:count]), shares)
            for row, shares, count in zip(rows, sure, most, strict=True)
        ]

    def close(self) -> None:
        self._loaded = None

    def _until_the_end(self, tokens: Sequence[int]) -> Sequence[int]:
        assert self._loaded is not None
        ends = self._loaded[1].generation_config.eos_token_id
        known = {*(ends if isinstance(ends, list) else [ends]), self._loaded[0].tokenizer.eos_token_id}
        stop = next((place for place, token in enumerate(tokens) if token in known), len(tokens))
        return tokens[: stop - repeated(tokens[:stop])]


def _transcript(tokenizer: Any, tokens: Sequence[int], probabilities: Sequence[float]) -> RegionTranscript:
    """What `tokens` say. Several may be of one letter: what they say is told by what comes with the next one."""
    text, sure = "", []
    told = begun = 0
    for stop in range(1, len(tokens) + 1):
        # With what came before, for at the beginning of a text white space is left out.
        before, now = (tokenizer.decode(tokens[begun:end], skip_special_tokens=True) for end in (told, stop))
        if now.endswith("\ufffd"):
            continue
        piece = unicodedata.normalize("NFC", now[len(before) :])
        text += piece
        sure += [min(probabilities[told:stop])] * len(piece)
        begun, told = told, stop
    return RegionTranscript(text, tuple(sure))


class PaddleOcrVlReader:
    """Implements `models.vision.text.PageReader` over another one and a host of a PaddleOcrVl."""

    def __init__(
        self, lines: PageReader, regions: EngineHost[TextRegion, RegionTranscript], *, most_waiting: int
    ) -> None:
        """`most_waiting`: pages that wait for those that are read; finding lines is so much faster than reading them
        again that a queue before that would never be full."""
        self._pages = FairSlots("ocr", _PAGES_AT_ONCE, most_waiting=most_waiting)
        self._lines = lines
        self._regions = regions

    async def read(self, image: Image, *, wait: bool = False) -> Sequence[TextLine]:
        async with self._pages.slot(patient=wait):
            lines = list(await self._lines.read(image, wait=True))
            regions = await asyncio.to_thread(regions_of, image, lines)
            transcripts = await self._regions.run_many(regions, wait=True)

            def read_again() -> list[TextLine]:
                for region, transcript in zip(regions, transcripts, strict=True):
                    found = aligned([lines[number] for number in region.lines], transcript)
                    for number, line in zip(region.lines, found, strict=True):
                        lines[number] = line
                return lines

            return await asyncio.to_thread(read_again)

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        return self._lines.place()
