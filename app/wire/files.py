"""Answers of /v1/files. The fields are sent in the order of their declaration."""

from typing import Literal

from pydantic import BaseModel

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
SHORTEST_KEEP_S, LONGEST_KEEP_S = 3600, 2_592_000
"""Bounds of the seconds for which a client may have a file kept, which are the same as OpenAI's."""


class FileObject(BaseModel):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    """Seconds since 1970."""
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"


class FileList(BaseModel):
    object: Literal["list"] = "list"
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class FileDeleted(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
