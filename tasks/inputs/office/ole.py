"""Compound files ([MS-CFB]): office files of before 2007, and encrypted ones of today. Told apart, not read."""

from tasks.errors import InputError
from tasks.inputs.blob import Blob
from tasks.inputs.media_types import SUPPORTED

_KINDS = (
    ("EncryptedPackage", None),
    ("WordDocument", ("doc", "docx")),
    ("PowerPoint Document", ("ppt", "pptx")),
    ("Workbook", ("xls", "xlsx")),
    ("Book", ("xls", "xlsx")),
)
"""Streams that such a file has by its kind: the old extension, and the one to save it as."""


def ole_refusal(blob: Blob) -> InputError:
    """What to tell the client: `encrypted_document` ([MS-OFFCRYPTO] 2.3.4), else `unsupported_media_type`."""
    for stream, extensions in _KINDS:
        if stream.encode("utf-16-le") + b"\0\0" in blob.data:
            if extensions is None:
                return blob.error("is protected with a password: send it without one.", code="encrypted_document")
            old, new = extensions
            return blob.error(
                f"is an office file of the old kind ({old}), which is not read: save it as {new} or PDF.",
                code="unsupported_media_type",
            )
    return blob.error(
        f"is an OLE compound file, which cannot be read as a document. Supported: {SUPPORTED}.",
        code="unsupported_media_type",
    )
