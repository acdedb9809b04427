"""For which cards the native libraries below a folder have code. Needs Python alone, so that it runs inside the image.

    python architectures.py FOLDER …

A library with kernels of its own holds them as fatbins: containers that begin with MAGIC (`struct fatBinaryHeader` in
CUDA's fatbinary.h), in a section `.nv_fatbin`, or like cuFFT's in another. A container has an entry for each
architecture, of machine code (SASS) or of PTX, which the driver compiles when it is first loaded. SASS runs on cards of
the same major version and of no smaller minor one, PTX on all that are newer, but that of an architecture with a letter
(`sm_90a`) on no other one.
"""

import json
import mmap
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CARDS = {
    75: "Turing: RTX 20, T4",
    80: "Ampere: A100, A30",
    86: "Ampere: RTX 30, A10, A40",
    89: "Ada: RTX 40, L4, L40",
    90: "Hopper: H100, H200",
    100: "Blackwell: B200",
    120: "Blackwell: RTX 50, RTX PRO 6000",
}
"""Cards, by their compute capability."""
MAGIC = struct.pack("<IHH", 0xBA55ED50, 1, 16)
"""Magic number of a container, its version, and the size of its header."""
PTX, SASS = 1, 2
"""Kinds of an entry."""
NATIVE, COMPILED, NONE = "native", "compiles at first load", "cannot run"
_FOR_ONE = re.compile(rb"\.target sm_\d+[af]")
_FIRST_LINES = 256
"""In bytes."""


@dataclass
class Code:
    """The architectures of a library's kernels."""

    sass: set[int] = field(default_factory=set)
    ptx: set[int] = field(default_factory=set)

    def on(self, card: int) -> str:
        """Return how the kernels run on a card: NATIVE, COMPILED or NONE."""
        if any(one // 10 == card // 10 and one <= card for one in self.sass):
            return NATIVE
        return COMPILED if any(one <= card for one in self.ptx) else NONE


def code_of(library: Path) -> Code:
    """Return the architectures in a library's fatbins; none if it has no kernels, or is no 64-bit ELF file."""
    found = Code()
    with library.open("rb") as file:
        if file.read(5) != b"\x7fELF\x02":
            return found
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for kind, architecture in _entries(data):
                (found.ptx if kind == PTX else found.sass).add(architecture)
    return found


def _entries(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Yield kind and architecture of each entry of all containers.

    A container: MAGIC, size of the entries (u64). An entry: kind (u16), version (u16), size of this header (u32), size
    of its data (u64), 12 bytes of other sizes, architecture (u32 at 28). PTX for one architecture alone counts as SASS.
    PTX is compressed, but by LZ4, which leaves its first lines.
    """
    start = 0
    while (start := data.find(MAGIC, start)) >= 0:
        entry = start + 16
        stop = min(len(data), entry + struct.unpack_from("<Q", data, start + 8)[0])
        while entry + 32 <= stop:
            kind, _, own, length = struct.unpack_from("<HHIQ", data, entry)
            if own < 32:
                break
            if kind == PTX and _FOR_ONE.search(data, entry + own, min(stop, entry + own + _FIRST_LINES)):
                kind = SASS
            if kind in (PTX, SASS):
                yield kind, struct.unpack_from("<I", data, entry + 28)[0]
            entry += own + length
        start = max(stop, start + len(MAGIC))


def libraries(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*.so*") if path.is_file() and not path.is_symlink())


def main(*folders: str) -> None:
    """Print as JSON, by library, the architectures of its code and how it runs on each of CARDS."""
    found = {}
    for folder in map(Path, folders):
        for library in libraries(folder):
            code = code_of(library)
            if code.sass or code.ptx:
                cards = {name: code.on(card) for card, name in CARDS.items()}
                found[str(library.relative_to(folder))] = {
                    "sass": sorted(code.sass), "ptx": sorted(code.ptx), "cards": cards,
                }  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
