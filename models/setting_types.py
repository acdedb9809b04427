"""Types that the settings of several capabilities share: devices, addresses, lists and paths."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from models.devices.device import DEVICE

ON, OFF = "on", "off"

PROFILES = EMBEDDED, STANDARD, GPU = "embedded", "standard", "gpu"
"""Kinds of machines, from a machine without any downloaded weights to a machine with a card."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _address(value: str) -> str:
    parts = urlsplit(value or "http://none")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            "this should be an address that begins with http:// or https://, such as http://localhost:11434/v1"
        )
    return value


def _device(value: str) -> str:
    if not DEVICE.fullmatch(value):
        raise ValueError(f"there is no device '{value}'; choose from: auto, cpu, cuda, and cuda:1 for the second card")
    return value


def _profile(value: str) -> str:
    if value not in PROFILES:
        raise ValueError(f"there is no profile '{value}'; choose from: {', '.join(PROFILES)}")
    return value


def _found(value: object) -> object:
    if value and not Path(str(value)).exists():
        raise ValueError(f"there is no file or folder '{value}'")
    return value


Split = BeforeValidator(_split)

CommaSeparated = Annotated[tuple[str, ...], NoDecode, Split]

Profile = Annotated[str, AfterValidator(_profile)]

Device = Annotated[str, AfterValidator(_device)]

Address = Annotated[str, AfterValidator(_address)]

FoundPath = Annotated[Path, BeforeValidator(_found)]
