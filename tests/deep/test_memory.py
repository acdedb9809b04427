"""What the worst picture that is accepted takes of memory, measured in a process of its own."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.deep

BOUND_MB = 1200
"""As docs/limits.md has it."""

READING = """
import asyncio, json, resource, sys
from functools import partial
import cv2
import numpy as np
from models.base import EngineSpec
from models.hosts.host import EngineHost
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.reader import PpOcrReader
from models.vision.ppocr.recognizer import LineRecognizer
from models.hosts.workplace import HostLimits

def print_of(width, height):
    line = np.full((96, 2400, 3), 255, np.uint8)
    cv2.putText(line, "The quick brown fox jumps over the lazy dog 0123456789", (16, 64), 0, 1.2, (0, 0, 0), 4)
    return np.tile(line, (-(-height // 96), -(-width // 2400), 1))[:height, :width].copy()

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

async def main(width, height):
    spec, (detector, recognizer) = EngineSpec("pp-ocr", "ocr", "Apache-2.0", "none"), embedded_weights()
    pages = EngineHost(spec, partial(TextDetector, detector), HostLimits())
    lines = EngineHost(spec, partial(LineRecognizer, recognizer), HostLimits(max_batch=32, max_queue=100_000))
    reader = PpOcrReader(pages, lines)
    await reader.read(print_of(1000, 800))
    before = peak_mb()
    found = await reader.read(print_of(width, height))
    print(json.dumps([len(found), peak_mb() - before]))

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"""


def test_ocr_of_as_many_pixels_as_may_be_stays_within_its_memory() -> None:
    command = [sys.executable, "-c", READING, "8000", "8000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines, grown_mb = json.loads(done.stdout.splitlines()[-1])
    assert lines > 250, "the picture is print from edge to edge"
    assert grown_mb <= BOUND_MB
