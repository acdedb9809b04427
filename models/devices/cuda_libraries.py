"""Loads the CUDA libraries that a package needs, from the folders of NVIDIA's Python packages."""

import ctypes
import mmap
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

_CUDA_LIBRARY = re.compile(rb"lib(?:cublas|cublasLt|cudart|cudnn|cufft|curand|nvrtc)\.so\.\d+")


def load_cuda_libraries(package: str) -> list[str]:
    """Load the CUDA libraries that `package` is linked to or opens by name. They come from NVIDIA's Python packages,
    whose folders `package` does not search by itself, or else from the system. Return the names of libraries that do
    not load."""
    missing = []
    # cuDNN is loaded last, because it needs the other libraries.
    for name in sorted(_linked_libraries(package), key=lambda name: ("cudnn" in name, name)):
        found = next((folder / name for folder in _library_folders() if (folder / name).is_file()), None)
        try:
            for library in [name] if found is None else _with_parts(found):
                ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
        except OSError:  # the caller reports it
            missing.append(name)
    return missing


def _linked_libraries(package: str) -> set[str]:
    names: set[str] = set()
    for folder in _folders_of(package):
        files = [*Path(folder).glob("capi/lib*_cuda.so"), *Path(f"{folder}.libs").glob(f"lib{package}*.so*")]
        for file in files:
            with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
                names |= {found.group().decode() for found in _CUDA_LIBRARY.finditer(content)}
    return names


def _library_folders() -> Iterator[Path]:
    """Yield the folders of libraries in NVIDIA's Python packages."""
    for folder in _folders_of("nvidia"):
        yield from sorted(Path(folder).glob("*/lib"))


def _folders_of(package: str) -> Sequence[str]:
    """Return the folders of a Python package; empty if it is not installed."""
    spec = find_spec(package)
    return (spec and spec.submodule_search_locations) or ()


def _with_parts(library: Path) -> list[str]:
    """Return the paths of the library and of the libraries that belong to it, in loading order. cuBLAS comes after its
    other libraries; a library such as cuDNN comes before them."""
    stem, _, version = library.name.partition(".so")
    parts = [str(part) for part in sorted(library.parent.glob(f"{stem}?*.so{version}"))]
    return [*parts, str(library)] if "cublas" in stem else [str(library), *parts]
