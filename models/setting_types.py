"""Types that the settings of several capabilities share: devices, addresses, lists and paths."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from models.devices.device import AUTO, DEVICE

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


def read_devices(value: str) -> tuple[str, dict[str, str]]:
    """Read a text such as `cuda,object_detection=cpu`. Return the device by default, and the devices of single
    capabilities by name. Raises ValueError."""
    common, by_capability = AUTO, {}
    for part in value.split(","):
        capability, equals, device = part.strip().rpartition("=")
        if not DEVICE.fullmatch(device):
            raise ValueError(
                f"there is no device '{device}'; choose from: auto, cpu, cuda, and cuda:1 for the second card"
            )
        if equals:
            by_capability[capability] = device
        else:
            common = device
    return common, by_capability


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

ServerUrl = Annotated[str, AfterValidator(_address)]

FoundPath = Annotated[Path, BeforeValidator(_found)]
