"""OCR engine: PaddleOCR-VL by transformers. It reads the lines that PP-OCR has found once more, block by block, because
the network was made to read one block of a page at a time."""

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
from models.vision.text import Image, PageReader, PageText

OTHER_MODEL = "The folder 'paddleocr-vl' of OPENFAZE_WEIGHTS_DIR holds no PaddleOCR-VL."

_PROMPT = "OCR:"
"""Prompt for a block of text, as in the network's training."""
_SPARE_TOKENS, _TOKENS_A_LETTER = 32, 2
"""Largest number of tokens of a transcript: the first number, plus the second number for each letter that PP-OCR has
read. A token is one letter, several letters, or a part of a rare one."""
_PAGES_AT_ONCE = 4
"""Largest number of pages whose blocks are read at a time, which limits the pages' pictures in memory."""
_LOOP, _ROUNDS, _PERIOD = 48, 3, 64
"""Least number of tokens in a repetition that ends a transcript, least number of times that a sequence is repeated in
it, and largest number of tokens of this sequence."""
_LOOK_EVERY = 16
"""Number of tokens between two searches for repetitions."""


def repeated(tokens: Sequence[int]) -> int:
    """Return the number of tokens at the end that only repeat earlier ones; 0 if the page may really contain the
    repetitions."""
    for period in range(1, _PERIOD + 1):
        count = 0
        while count + period < len(tokens) and tokens[-1 - count] == tokens[-1 - count - period]:
            count += 1
        if count >= max(_LOOP, _ROUNDS * period):
            return count
    return 0


class _Brakes:
    """Ends texts that reach their greatest length or repeat themselves. It is a StoppingCriteria of transformers."""

    def __init__(self, start: int, most: Sequence[int]) -> None:
        """`start` is the number of tokens in the prompt, `most` the largest number of tokens after it, for each
        text."""
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
    """Records the probability of each written token, which is the most likely one. It is a LogitsProcessor of
    transformers. (The scores of all tokens would fill a card.)"""

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def __call__(self, _ids: Any, scores: Any) -> Any:
        import torch

        self.steps.append(torch.softmax(scores.float(), -1).amax(-1))
        return scores


class PaddleOcrVl:
    """Implementation of `models.base.Engine` from regions to transcripts."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` has the layout of `save_pretrained` and of the model hubs (PaddlePaddle/PaddleOCR-VL)."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, Any, str, str] | None = None

    def load(self) -> None:
        """Load the network. Raises EngineUnavailable if the folder contains another model."""
        import torch
        from transformers import (
            AutoConfig,
            AutoImageProcessor,
            AutoTokenizer,
            PaddleOCRVLForConditionalGeneration,
            PaddleOCRVLProcessor,
        )

        device = TORCH.check(self._device, "ocr")
        # The repository contains Python files for older versions of transformers, which are not executed.
        here = {"local_files_only": True, "trust_remote_code": False}
        if AutoConfig.from_pretrained(self._folder, **here).model_type != "paddleocr_vl":
            raise EngineUnavailable("ocr", OTHER_MODEL)
        tokenizer = AutoTokenizer.from_pretrained(self._folder, padding_side="left", **here)
        if not tokenizer.chat_template:
            raise EngineUnavailable("ocr", OTHER_MODEL)
        # The other backend needs torchvision, which nothing else here needs.
        pictures = AutoImageProcessor.from_pretrained(self._folder, backend="pil", **here)
        processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
        # CPUs compute slowly in 16 bits, or not at all.
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
                use_cache=True,  # the published configuration switches it off
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
    """Return the text of `tokens` with the probability of each character. If a letter consists of several tokens, its
    text is known once the last of them is decoded."""
    text, sure = "", []
    told = begun = 0
    for stop in range(1, len(tokens) + 1):
        # The tokens are decoded together with the previous ones, because leading white space would be dropped.
        before, now = (tokenizer.decode(tokens[begun:end], skip_special_tokens=True) for end in (told, stop))
        if now.endswith("\ufffd"):
            continue
        piece = unicodedata.normalize("NFC", now[len(before) :])
        text += piece
        sure += [min(probabilities[told:stop])] * len(piece)
        begun, told = told, stop
    return RegionTranscript(text, tuple(sure))


class PaddleOcrVlReader:
    """Implementation of `models.vision.text.PageReader` on top of another PageReader and of a host of a PaddleOcrVl."""

    def __init__(
        self, lines: PageReader, regions: EngineHost[TextRegion, RegionTranscript], *, most_waiting: int
    ) -> None:
        """Create the reader. `most_waiting` is the number of pages that may wait for the second reading. The first
        reading is so much faster that a queue before it would never be full."""
        self._pages = FairSlots("ocr", _PAGES_AT_ONCE, most_waiting=most_waiting)
        self._lines = lines
        self._regions = regions

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        async with self._pages.slot(patient=wait):
            lines = await self._lines.read(image, wait=True)
            regions = await asyncio.to_thread(regions_of, image, lines)
            transcripts = await self._regions.run_many(regions, wait=True)

            def read_again() -> PageText:
                for region, transcript in zip(regions, transcripts, strict=True):
                    found = aligned([lines[number] for number in region.lines], transcript)
                    for number, line in zip(region.lines, found, strict=True):
                        lines[number] = line
                return lines

            return await asyncio.to_thread(read_again)

    def place(self) -> AbstractContextManager[Callable[[], None]]:
        return self._lines.place()
