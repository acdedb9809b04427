"""Draws the terminal while `openfaze extract` works on a folder of made invoices.

    python -m bench.terminal [--write docs/images/folder-terminal.svg]

The command runs in a terminal of its own, from which the picture takes what it shows once two thirds of the papers have
been read. One of the papers is damaged.
"""

import argparse
import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
from itertools import islice
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from bench.folder import COMMAND
from training.extraction.documents import documents, draw

SHOWN = """openfaze extract invoices/ --schema "number, date, seller, total: number, lines[what, amount: number]" \\
    --out invoices.xlsx"""
"""The command as a person types it; docs/folders.md has the same."""
COLUMNS, ROWS = 116, 24
PAPERS = 24
_SHARE = 2 / 3
_SEED = 5
_FONTS = re.compile(r"@font-face \{\{.*?\n    \}\}", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[(\?25[lh]|\d*[AK])|[\r\n]")


def screen(output: str) -> str:
    """Return what a terminal shows after `output`, with its colours. Of control codes, those are known that a bar of
    progress needs: to the beginning of the line, up, and to clear the line."""
    lines, row, end = [""], 0, 0
    for code in _CONTROL.finditer(output):
        lines[row] += output[end : code.start()]
        end = code.end()
        match code[0]:
            case "\n":
                row += 1
                lines += [""] * (row == len(lines))
            case "\x1b[1A":
                row = max(0, row - 1)
            case "\x1b[2K":
                lines[row] = ""
    lines[row] += output[end:]
    return "\n".join(lines)


def picture(shown: str) -> str:
    """Return an SVG of a terminal that shows `shown`."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    with console.file:
        for line in SHOWN.splitlines():
            console.print(Text.assemble(("$ " if line == SHOWN.splitlines()[0] else "", "bold green"), line))
        console.print(Text.from_ansi(shown))
        # A page of the docs asks no other host, not even for a typeface.
        without_fonts = _FONTS.sub("", CONSOLE_SVG_FORMAT)
        return console.export_svg(title="openfaze extract", code_format=without_fonts, unique_id="extract")


def papers(folder: Path) -> None:
    folder.mkdir()
    made = (document for document in documents(_SEED, 10_000, split="test") if document.kind == "invoice")
    for number, document in enumerate(islice(made, PAPERS), 1):
        draw(document).save(folder / f"{number:04}.png")
    (folder / "0007-fax.png").write_bytes((folder / "0007.png").read_bytes()[:2000])


def watched(folder: Path) -> str:
    """Return what the command writes until it has read two thirds of the papers below `folder`."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    words = SHOWN.replace("\\\n", "").split('"')
    command = [*COMMAND, "extract", "invoices/", "--schema", words[1], "--out", "invoices.xlsx"]
    env = {
        **os.environ,
        "TERM": "xterm-256color",
        "OPENFAZE_AUTO_PULL": "0",
        "OPENFAZE_FILES_DIR": str(folder / "files"),
    }
    env.pop("COLUMNS", None)
    running = subprocess.Popen(command, cwd=folder, env=env, stdin=there, stdout=there, stderr=there)
    os.close(there)
    output = ""
    try:
        while not (found := re.findall(r"(\d+)/(\d+)", output)) or int(found[-1][0]) < _SHARE * int(found[-1][1]):
            output += os.read(here, 65_536).decode(errors="replace")
    finally:
        running.terminate()
        running.wait()
        os.close(here)
    return output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, default=Path("docs/images/folder-terminal.svg"))
    file = parser.parse_args().write
    with tempfile.TemporaryDirectory() as name:
        papers(Path(name) / "invoices")
        file.write_text(picture(screen(watched(Path(name)))), "utf-8")


if __name__ == "__main__":
    main()
