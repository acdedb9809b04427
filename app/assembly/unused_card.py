"""Finds out whether the machine has an NVIDIA card that this process does not see."""

from pathlib import Path

REMEDY = (
    "`docker/detect`, run on the machine itself, says what is missing, and writes what docker compose needs into .env."
)

_NVIDIA = "0x10de"
"""NVIDIA's number among the makers of PCI devices."""
_DISPLAY = "0x03"
"""Beginning of the class of PCI devices that compute or show pictures; a card's sound has another."""


def machine_has_card(root: Path = Path("/")) -> bool:
    """Return True if the kernel has NVIDIA's driver loaded, or lists a card on its PCI bus. Containers see both,
    even if they were given no card."""
    if (root / "proc/driver/nvidia/version").exists():
        return True
    return any(_is_card(device) for device in (root / "sys/bus/pci/devices").glob("*"))


def _is_card(device: Path) -> bool:
    try:
        vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
    except OSError:  # it was unplugged, or may not be read
        return False
    return vendor == _NVIDIA and kind.startswith(_DISPLAY)
