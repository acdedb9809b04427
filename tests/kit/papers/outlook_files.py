"""Outlook's e-mails, made for the tests."""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Tree = Mapping[str, "bytes | Tree"]
"""Contents of a compound file: streams and storages by their names."""

SECTOR, SMALL = 512, 64
CUTOFF = 4096
END, FREE, FAT, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
PROPERTIES = {
    "subject": 0x0037, "body": 0x1000, "html": 0x1013, "headers": 0x007D, "sender": 0x0C1A, "sender_address": 0x5D01,
    "name": 0x3001, "address": 0x39FE, "to": 0x0C15, "sent": 0x0039, "data": 0x3701, "long_name": 0x3707,
    "type": 0x370E, "content_id": 0x3712, "codepage": 0x3FDE,
}  # fmt: skip
"""Numbers of properties ([MS-OXPROPS])."""


def compound_file(tree: Tree, clsid: bytes = bytes(16)) -> bytes:
    """A file in the format of [MS-CFB] 3, with sectors of 512 bytes."""
    entries: list[list[Any]] = []
    small, sectors, fat = b"", [], []
    small_fat: list[int] = []

    def stored(data: bytes) -> int:
        first = len(sectors)
        for start in range(0, len(data), SECTOR):
            sectors.append(data[start : start + SECTOR].ljust(SECTOR, b"\0"))
            fat.append(len(sectors))
        if data:
            fat[-1] = END
        return first if data else END

    def add(name: str, content: "bytes | Tree", kind: int) -> int:
        nonlocal small
        number = len(entries)
        entries.append([name, kind, NONE, NONE, NONE, END, 0])  # …, siblings on either side, child, first sector, size
        if isinstance(content, bytes):
            if len(content) >= CUTOFF:
                entries[number][5:] = stored(content), len(content)
            elif content:
                first = len(small) // SMALL
                small += content.ljust(-(-len(content) // SMALL) * SMALL, b"\0")
                small_fat.extend([*range(first + 1, len(small) // SMALL), END])
                entries[number][5:] = first, len(content)
            return number
        inner = sorted(content.items(), key=lambda one: (len(one[0]), one[0].upper()))
        entries[number][4] = linked([add(name, one, 2 if isinstance(one, bytes) else 1) for name, one in inner])
        return number

    def linked(siblings: list[int]) -> int:
        """Make a balanced tree of siblings; return its root."""
        if not siblings:
            return NONE
        middle = len(siblings) // 2
        root = siblings[middle]
        entries[root][2:4] = linked(siblings[:middle]), linked(siblings[middle + 1 :])
        return root

    add("Root Entry", tree, 5)
    entries[0][5:] = stored(small), len(small)
    first_of_small_fat = stored(struct.pack(f"<{len(small_fat)}I", *small_fat))
    directory = b"".join(
        struct.pack(
            "<64sHBBIII16sIQQIII",
            *(name.encode("utf-16-le"), 2 * len(name) + 2, kind, 1, left, right, child),
            *(clsid if kind == 5 else bytes(16), 0, 0, 0, first, size, 0),
        )
        for name, kind, left, right, child, first, size in entries
    )
    first_of_directory = stored(directory)
    tables = -(-len(fat) // (SECTOR // 4 - 1))
    fat_places = range(len(sectors), len(sectors) + tables)
    fat += [FAT] * tables
    fat += [FREE] * (tables * SECTOR // 4 - len(fat))
    packed = struct.pack(f"<{len(fat)}I", *fat)
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        *(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            bytes(16),
            0x3E,
            3,
            0xFFFE,
            9,
            6,
            bytes(6),
            0,
            tables,
            first_of_directory,
        ),
        *(0, CUTOFF, first_of_small_fat, -(-len(small_fat) // (SECTOR // 4)), END, 0),
    )
    places = struct.pack("<109I", *[*fat_places, *[FREE] * (109 - tables)])
    return head + places + b"".join(sectors) + packed


def storage(
    values: Mapping[str, "str | bytes | int | datetime | Tree"], header: int = 8, *, codepage: str = ""
) -> dict[str, Any]:
    """A storage with these properties. With a `codepage`, texts are not in Unicode."""
    streams: dict[str, Any] = {}
    fixed = bytes(header)
    for name, value in values.items():
        pid = PROPERTIES[name]
        content: Any = value
        match value:
            case str():
                kind = 0x001E if codepage else 0x001F
                content = value.encode(codepage or "utf-16-le")
            case bytes():
                kind = 0x0102
            case int():
                kind = 0x0003
            case datetime():
                kind = 0x0040
            case _:
                kind = 0x000D
        if isinstance(value, int | datetime):
            number = (
                value
                if isinstance(value, int)
                else int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10**7)
            )
            fixed += struct.pack("<IIQ", pid << 16 | kind, 6, number)
        else:
            fixed += struct.pack("<IIQ", pid << 16 | kind, 6, 0)
            streams[f"__substg1.0_{pid:04X}{kind:04X}"] = content
    return {**streams, "__properties_version1.0": fixed}


def message(
    values: Mapping[str, Any],
    recipients: list[dict[str, Any]] | None = None,
    attachments: list[dict[str, Any]] | None = None,
    *,
    header: int = 32,
    codepage: str = "",
) -> dict[str, Any]:
    """The contents of an e-mail."""
    return {
        **storage(values, header, codepage=codepage),
        **{f"__recip_version1.0_#{number:08X}": one for number, one in enumerate(recipients or ())},
        **{f"__attach_version1.0_#{number:08X}": one for number, one in enumerate(attachments or ())},
    }


def msg_file(tree: Tree) -> bytes:
    return compound_file({**tree, "__nameid_version1.0": {}})
