"""Loads the libraries of CUDA that a package is linked to, from where Python packages put them."""

import ctypes
import mmap
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_CUDA_LIBRARY = re.compile(rb"lib(?:cublas|cublasLt|cudart|cudnn|cufft|curand|nvrtc)\.so\.\d+")


def load_cuda_libraries(package: str) -> list[str]:
    """Loads those of CUDA's libraries that `package` is linked to or looks up by name, from where Python packages put
    them or the system has them: by itself it does not look there. Returns the names of those that do not load."""
    missing = []
    for name in sorted(_named_in(package), key=lambda name: ("cudnn" in name, name)):  # it needs the others
        found = next((folder / name for folder in _folders() if (folder / name).is_file()), None)
        try:
            for library in [name] if found is None else _whole(found):
                ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        except OSError:  # said by the caller
            missing.append(name)
    return missing


def _named_in(package: str) -> set[str]:
    spec = find_spec(package)
    names: set[str] = set()
    for place in (spec.submodule_search_locations or ()) if spec else ():
        files = [*Path(place).glob("capi/lib*_cuda.so"), *Path(f"{place}.libs").glob(f"lib{package}*.so*")]
        for file in files:
            with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                names |= {found.group().decode() for found in _CUDA_LIBRARY.finditer(content)}
    return names


def _folders() -> Iterator[Path]:
    """Where NVIDIA's packages have their libraries."""
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place).glob("*/lib"))


def _whole(library: Path) -> list[str]:
    """The library and those beside it that belong to it: cuBLAS's core, which comes first, and the parts of cuDNN."""
    stem, _, version = library.name.partition(".so")
    parts = [str(part) for part in sorted(library.parent.glob(f"{stem}?*.so{version}"))]
    return [*parts, str(library)] if "cublas" in stem else [str(library), *parts]
