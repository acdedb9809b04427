"""tests/boxes/gpu/architectures.py on libraries that are made here."""

import json
import struct
import sys
from importlib.metadata import distribution
from pathlib import Path
from platform import machine

import pytest

from tests.boxes.gpu.architectures import CARDS, COMPILED, MAGIC, NATIVE, NONE, PTX, SASS, Code, code_of, main
from tests.conftest import ROOT


def entry(kind: int, architecture: int, data: bytes = b"x" * 40) -> bytes:
    header = struct.pack("<HHIQ", kind, 0x101, 64, len(data)) + bytes(12) + struct.pack("<I", architecture)
    return header.ljust(64, b"\0") + data


def fatbin(*entries: bytes) -> bytes:
    content = b"".join(entries)
    return MAGIC + struct.pack("<Q", len(content)) + content


def library(path: Path, content: bytes) -> Path:
    path.write_bytes(b"\x7fELF\x02".ljust(64, b"\0") + content)
    return path


def test_all_containers_of_a_library_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ptx = b"<\n//\x03\x00\xf0\x1e\n.version 8.7\n.target sm_90\n"
    content = fatbin(entry(SASS, 75), entry(SASS, 86)) + bytes(24) + fatbin(entry(PTX, 90, ptx), entry(SASS, 90))
    assert code_of(library(tmp_path / "libkernels.so.1", content)) == Code({75, 86, 90}, {90})
    library(tmp_path / "libnone.so", b"no kernels")
    (tmp_path / "script.so").write_bytes(content)
    main(str(tmp_path))
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["libkernels.so.1"]
    assert printed["libkernels.so.1"]["cards"][CARDS[120]] == COMPILED


def test_ptx_for_one_architecture_runs_on_no_other(tmp_path: Path) -> None:
    only = entry(PTX, 90, b"\n.version 8.7\n.target sm_90a\n")
    assert code_of(library(tmp_path / "lib.so", fatbin(only))) == Code({90}, set())


@pytest.mark.skipif((sys.platform, machine()) != ("linux", "x86_64"), reason="its other packages have no kernels")
def test_the_package_of_ctranslate2_runs_on_every_card_as_the_page_says() -> None:
    [library] = Path(str(distribution("ctranslate2").locate_file("ctranslate2.libs"))).glob("libctranslate2-*.so*")
    code = code_of(library)
    assert {code.on(card) for card in CARDS} == {NATIVE, COMPILED}
    generations = dict.fromkeys(CARDS[card].partition(":")[0] for card in CARDS if code.on(card) == COMPILED)
    most = max(code.sass)
    row = f"| CTranslate2 (speech, translation) | {most // 10}.{most % 10} | {', '.join(generations)} |"
    assert row in (ROOT / "docs/gpu.md").read_text(), f"put this into docs/gpu.md: {row}"


@pytest.mark.parametrize(
    ("card", "how"), [(75, NONE), (80, NATIVE), (86, NATIVE), (89, NATIVE), (90, COMPILED), (120, COMPILED)]
)
def test_code_runs_natively_in_its_family_and_newer_cards_compile(card: int, how: str) -> None:
    assert Code({80, 86}, {86}).on(card) == how
    assert Code({80, 86}, set()).on(card) == (NONE if how == COMPILED else how)
