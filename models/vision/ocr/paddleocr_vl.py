"""OCR engine: PaddleOCR-VL in transformers.

PP-OCR finds and reads the lines of a page. PaddleOCR-VL then reads them a second time, one block of lines (a region) at
a time, because the network was trained on blocks and not on pages.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.base import EngineUnavailable
from models.devices.device import CPU, TORCH
from models.hosts.host import EngineHost
from models.normal_forms import normalized
from models.queues import Slots
from models.vision.ocr.regions import TextRegion, regions_of
from models.vision.ocr.second_reading import RegionTranscript, aligned
from models.vision.text import Image, PageReader, PageText

OTHER_MODEL = "The folder 'paddleocr-vl' of OPENFAZE_WEIGHTS_DIR holds no PaddleOCR-VL."

_PROMPT = "OCR:"
"""Prompt for a region of text, as in the network's training."""
_SPARE_TOKENS, _TOKENS_PER_LETTER = 32, 2
"""Bound on the tokens of a transcript: `_SPARE_TOKENS`, plus `_TOKENS_PER_LETTER` for each letter that PP-OCR has read.
A token is one letter, several letters, or a part of a rare letter."""
_PAGES_AT_ONCE = 4
"""The regions of at most this many pages are read at a time, which bounds the memory for pictures of pages."""
_LEAST_REPEATED, _LEAST_ROUNDS, _LONGEST_PERIOD = 48, 3, 64
"""Form of a repetition that ends a transcript: at least `_LEAST_REPEATED` tokens, in which a sequence of at most
`_LONGEST_PERIOD` tokens is repeated at least `_LEAST_ROUNDS` times."""
_CHECK_INTERVAL = 16
"""Number of tokens between two searches for repetitions."""


def repeated(tokens: Sequence[int]) -> int:
    """Return the number of tokens at the end that only repeat earlier tokens. The result is 0 for a short repetition,
    which the page may really contain."""
    for period in range(1, _LONGEST_PERIOD + 1):
        count = 0
        while count + period < len(tokens) and tokens[-1 - count] == tokens[-1 - count - period]:
            count += 1
        if count >= max(_LEAST_REPEATED, _LEAST_ROUNDS * period):
            return count
    return 0


class _StopTexts:
    """A StoppingCriteria of transformers that ends a text at its largest length or once it repeats itself."""

    def __init__(self, start: int, limits: Sequence[int]) -> None:
        """`start` is the number of tokens in the prompt, `limits` each text's largest number of tokens after the
        prompt."""
        self._start = start
        self._limits = limits

    def __call__(self, ids: Any, _scores: Any, **_: object) -> Any:
        import torch

        count = ids.shape[1] - self._start
        done = [count >= limit for limit in self._limits]
        if count % _CHECK_INTERVAL == 0 and count > _LEAST_REPEATED:
            longest = _LEAST_REPEATED + (_LEAST_ROUNDS + 1) * _LONGEST_PERIOD
            tails = ids[:, self._start :][:, -longest:].tolist()
            done = [end or repeated(tail) > 0 for end, tail in zip(done, tails, strict=True)]
        return torch.tensor(done, device=ids.device)


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
    """Implementation of `models.base.Engine` that takes regions and returns their transcripts."""

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
        start, probabilities = inputs["input_ids"].shape[1], _TokenProbabilities()
        token_limits = [_SPARE_TOKENS + _TOKENS_PER_LETTER * region.letters for region in batch]
        with torch.inference_mode():
            written = network.generate(
                **inputs,
                max_new_tokens=max(token_limits),
                do_sample=False,
                use_cache=True,  # the published configuration switches it off
                logits_processor=[probabilities],
                stopping_criteria=[_StopTexts(start, token_limits)],
                pad_token_id=processor.tokenizer.pad_token_id,
            )
        probabilities_of_texts = torch.stack(probabilities.steps, 1).cpu().tolist()
        rows = written[:, start:].tolist()
        return [
            _transcript(processor.tokenizer, self._before_end(row[:count]), text_probabilities)
            for row, text_probabilities, count in zip(rows, probabilities_of_texts, token_limits, strict=True)
        ]

    def close(self) -> None:
        self._loaded = None

    def _before_end(self, tokens: Sequence[int]) -> Sequence[int]:
        """Return the tokens before the end token, without the repetitions at their end."""
        assert self._loaded is not None
        end_tokens = self._loaded[1].generation_config.eos_token_id
        known = {
            *(end_tokens if isinstance(end_tokens, list) else [end_tokens]),
            self._loaded[0].tokenizer.eos_token_id,
        }
        stop = next((index for index, token in enumerate(tokens) if token in known), len(tokens))
        return tokens[: stop - repeated(tokens[:stop])]


def _transcript(tokenizer: Any, tokens: Sequence[int], probabilities: Sequence[float]) -> RegionTranscript:
    """Return the text of `tokens` with the probability of each character.

    A letter of several tokens is decoded with the last of these tokens, and gets the lowest of their probabilities.
    """
    text, character_probabilities = "", []
    decoded = previous = 0
    for stop in range(1, len(tokens) + 1):
        # New tokens are decoded together with the previous ones, because the tokenizer drops leading white space.
        text_before, now = (tokenizer.decode(tokens[previous:end], skip_special_tokens=True) for end in (decoded, stop))
        if now.endswith("\ufffd"):
            continue
        piece = normalized("NFC", now[len(text_before) :])
        text += piece
        character_probabilities += [min(probabilities[decoded:stop])] * len(piece)
        previous, decoded = decoded, stop
    return RegionTranscript(text, tuple(character_probabilities))


class PaddleOcrVlReader:
    """Implementation of `models.vision.text.PageReader` that lets another PageReader find and read the lines, and a
    host of a PaddleOcrVl read them a second time."""

    def __init__(
        self, lines: PageReader, regions: EngineHost[TextRegion, RegionTranscript], *, most_waiting: int
    ) -> None:
        """Create the reader. `most_waiting` is the largest number of pages that wait for both readings. The queue is in
        front of the first reading, because the first reading is so fast that its own queue would never be full."""
        self._pages = regions.callers = Slots("ocr", _PAGES_AT_ONCE, most_waiting)
        self._lines = lines
        self._regions = regions

    async def read(self, image: Image, *, wait: bool = False) -> PageText:
        async with self._pages.slot(wait=wait):
            lines = await self._lines.read(image, wait=True)
            regions = await asyncio.to_thread(regions_of, image, lines)
            transcripts = await self._regions.run_many(regions, wait=True)

            def with_transcripts() -> PageText:
                for region, transcript in zip(regions, transcripts, strict=True):
                    found = aligned([lines[number] for number in region.lines], transcript)
                    for number, line in zip(region.lines, found, strict=True):
                        lines[number] = line
                return lines

            return await asyncio.to_thread(with_transcripts)

    def check_room(self) -> None:
        self._lines.check_room()
