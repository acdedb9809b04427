"""Text-like files as they are, within what a reader of JSON or XML can bear."""

import re
from dataclasses import replace

import numpy as np

from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.xml_bounds import declares_entities
from tasks.inputs.text.text_file import decode_text

_DECLARED = re.compile(rb"\s*<\?xml[^>]*\sencoding\s*=\s*[\"']([\w.-]{1,40})[\"']")
_BLOCK = 1 << 20
_STEPS = np.zeros(256, np.int8)
_STEPS[[*b"[{"]] = 1
_STEPS[[*b"]}"]] = -1


def read_text(blob: Blob, limits: MediaLimits) -> str:
    """The text of `blob`, also where it is not well formed: logs and cut-off files are read too.

    Raises InputError and InputTooLarge as `decode_text`; InputError for JSON deeper than `limits.json_depth`, and for
    XML that declares entities.
    """
    if blob.media_type == "application/xml" and not blob.charset and (declared := _DECLARED.match(blob.data)):
        blob = replace(blob, charset=declared[1].decode("ascii"))
    text = decode_text(blob, limits)
    if blob.media_type == "application/xml" and declares_entities(text):
        raise blob.error("declares XML entities, which are not expanded: send it without.")
    if blob.media_type == "application/json" and json_depth(text) > limits.json_depth:
        raise blob.error(
            f"has lists or objects more than {limits.json_depth} deep, the limit (OPENFAZE_MAX_JSON_DEPTH)."
        )
    return text


def json_depth(text: str) -> int:
    """How deep the lists and objects of a JSON text are nested. Takes no recursion, and 10 ms a megabyte."""
    data = text.encode(errors="replace")
    if b"\\" in data:  # escapes stand in strings alone: without them, every quote opens or closes one
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quoted, depth, deepest = np.uint8(0), 0, 0
    for at in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, np.uint8, min(_BLOCK, len(data) - at), at)
        inside = np.bitwise_xor.accumulate((block == ord('"')).astype(np.uint8)) ^ quoted
        depths = np.cumsum(np.where(inside, 0, _STEPS[block]), dtype=np.int64) + depth
        quoted, depth, deepest = inside[-1], int(depths[-1]), max(deepest, int(depths.max()))
    return deepest
