"""OCR engine: PaddleOCR-VL in transformers.

PP-OCR finds the lines of a page and divides them into words. PaddleOCR-VL then reads each line a second time. Its
letters replace those of words of which PP-OCR is not certain, in lines that both readers divide into as many words.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from models.base import EngineUnavailable
from models.devices.device import CPU, TORCH
from models.hosts.host import EngineHost
from models.normal_forms import normalized
from models.queues import Slots
from models.vision.ocr.paddle_lines import crop, size
from models.vision.text import Image, PageReader, PageText, TextLine, Word

OTHER_MODEL = "The folder 'paddleocr-vl' of OPENFAZE_WEIGHTS_DIR holds no PaddleOCR-VL."

_PROMPT = "OCR:"
"""Prompt for a picture of text, as in the network's training."""
_MAX_TOKENS = 256
"""A transcript ends after this many tokens. A token is one letter, several letters, or a part of a rare letter."""
_PAGES_AT_ONCE = 4
"""The lines of at most this many pages are read at a time, which bounds the memory for pictures of pages."""
_MAX_ASPECT_RATIO = 100.0
"""A line is not read a second time if the ratio of its sides is at least this. The network accepts ratios up to 200."""
_LEAST_WORD_SIMILARITY = 0.5
"""A word gets the letters of the second reading only if their similarity is at least this. The similarity is 1 minus
the edit distance divided by the length of the longer word."""
_LEAST_CERTAIN = 0.995
"""A word of the first reading with at least this confidence is never changed. Words that the second reader makes up are
often similar to the true word: another amount, or another date."""


@dataclass(frozen=True, slots=True)
class LineReading:
    text: str
    confidence: float
    """Mean probability of the tokens, from 0 to 1."""


class _TokenProbabilities:
    """A LogitsProcessor of transformers that records the probability of each generated token.

    The generated token is always the most likely one. Only its probability is kept, because the scores of all tokens
    would fill a card.
    """

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def __call__(self, _ids: Any, scores: Any) -> Any:
        import torch

        self.steps.append(torch.softmax(scores.float(), -1).amax(-1))
        return scores


class PaddleOcrVl:
    """Implementation of `models.base.Engine` from pictures of lines to their transcripts."""

    def __init__(self, folder: Path, *, device: str = "auto") -> None:
        """`folder` has the layout of `save_pretrained` and of the model hubs (PaddlePaddle/PaddleOCR-VL)."""
        self._folder = folder
        self._device = device
        self._loaded: tuple[Any, Any, str, str] | None = None

    def load(self) -> None:
        """Load the network. Raises EngineUnavailable if the folder contains a different model."""
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
        local_only = {"local_files_only": True, "trust_remote_code": False}
        if AutoConfig.from_pretrained(self._folder, **local_only).model_type != "paddleocr_vl":
            raise EngineUnavailable("ocr", OTHER_MODEL)
        tokenizer = AutoTokenizer.from_pretrained(self._folder, padding_side="left", **local_only)
        if not tokenizer.chat_template:
            raise EngineUnavailable("ocr", OTHER_MODEL)
        # The default backend needs torchvision, which nothing else here needs.
        pictures = AutoImageProcessor.from_pretrained(self._folder, backend="pil", **local_only)
        processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=tokenizer.chat_template)
        # CPUs compute slowly in 16 bits, or not at all.
        dtype = torch.float32 if device == CPU else torch.bfloat16
        network = PaddleOCRVLForConditionalGeneration.from_pretrained(self._folder, local_files_only=True, dtype=dtype)
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _PROMPT}]}]
        prompt = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        self._loaded = processor, network.to(device).eval(), device, prompt

    def run(self, batch: Sequence[Image]) -> Sequence[LineReading | Exception]:
        import torch

        assert self._loaded is not None, "load() comes first"
        processor, network, device, prompt = self._loaded
        tokenizer, probabilities = processor.tokenizer, _TokenProbabilities()
        inputs = processor(
            images=[np.ascontiguousarray(picture) for picture in batch],
            text=[prompt] * len(batch),
            padding=True,
            return_tensors="pt",
        ).to(device)
        with torch.inference_mode():
            written = network.generate(
                **inputs,
                max_new_tokens=_MAX_TOKENS,
                do_sample=False,
                use_cache=True,  # the published configuration switches it off
                logits_processor=[probabilities],
                pad_token_id=tokenizer.pad_token_id,
            )
        rows = written[:, inputs["input_ids"].shape[1] :].tolist()
        ends = network.generation_config.eos_token_id
        end_tokens = {*(ends if isinstance(ends, list) else [ends]), tokenizer.eos_token_id}
        found = []
        for row, chances in zip(rows, torch.stack(probabilities.steps, 1).cpu().tolist(), strict=True):
            count = next((index for index, token in enumerate(row) if token in end_tokens), len(row))
            text = normalized("NFC", tokenizer.decode(row[:count], skip_special_tokens=True))
            found.append(LineReading(text, min(1.0, float(np.mean(chances[:count]))) if count else 0.0))
        return found

    def close(self) -> None:
        self._loaded = None


class PaddleOcrVlReader:
    """Implementation of `models.vision.text.PageReader` that lets another PageReader find and read the lines, and a
    host of a PaddleOcrVl read them a second time."""

    def __init__(self, lines: PageReader, network: EngineHost[Image, LineReading], *, most_waiting: int) -> None:
        """Create the reader. `most_waiting` is the largest number of pages that wait for both readings. The queue is in
        front of the first reading, because the first reading is so fast that its own queue would never be full."""
        self._pages = network.callers = Slots("ocr", _PAGES_AT_ONCE, most_waiting)
        self._lines = lines
        self._network = network

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        async with self._pages.slot(wait=wait):
            lines = await self._lines.read(image, wait=True)
            pictures = await asyncio.to_thread(_pictures_of, image, lines)
            transcripts = await self._network.run_many(list(pictures.values()), wait=True)
            for index, transcript in zip(pictures, transcripts, strict=True):
                lines[index] = with_transcript(lines[index], transcript)
            return lines

    def check_room(self) -> None:
        self._lines.check_room()


def _pictures_of(image: Image, lines: Sequence[TextLine]) -> dict[int, Image]:
    """Return the pictures of the lines that can be read a second time, by their indexes."""
    pictures = {}
    for index, line in enumerate(lines):
        corners = np.array(line.quad, np.float32)
        if max(size(corners)) < _MAX_ASPECT_RATIO * min(size(corners)):
            pictures[index] = crop(image, corners)
    return pictures


def with_transcript(line: TextLine, transcript: LineReading) -> TextLine:
    """Return `line` with the letters of the transcript in the words of which the first reader is not certain. Nothing
    changes if the transcript has another number of words."""
    texts = transcript.text.split()
    if len(texts) != len(line.words):
        return line
    pairs = zip(line.words, texts, strict=True)
    return replace(line, words=tuple(_corrected(word, text, transcript.confidence) for word, text in pairs))


def _corrected(word: Word, text: str, confidence: float) -> Word:
    is_certain = word.confidence >= _LEAST_CERTAIN or text == word.text
    if is_certain or Levenshtein.normalized_similarity(word.text, text) < _LEAST_WORD_SIMILARITY:
        return word
    return replace(word, text=text, confidence=confidence)
