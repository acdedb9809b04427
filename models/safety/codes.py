"""What a guard judges by: the hazards of MLCommons' taxonomy as Llama Guard numbers them, and three of pictures."""

from collections.abc import Mapping

HAZARDS: Mapping[str, str] = {
    "S1": "Violent Crimes",
    "S2": "Non-Violent Crimes",
    "S3": "Sex-Related Crimes",
    "S4": "Child Sexual Exploitation",
    "S5": "Defamation",
    "S6": "Specialized Advice",
    "S7": "Privacy",
    "S8": "Intellectual Property",
    "S9": "Indiscriminate Weapons",
    "S10": "Hate",
    "S11": "Suicide & Self-Harm",
    "S12": "Sexual Content",
    "S13": "Elections",
    "S14": "Code Interpreter Abuse",
    "S1_IMAGE": "Gore",
    "S12_IMAGE": "Nudity",
    "S15_IMAGE": "Not Safe For Work",
}
"""The name of each code, in the order in which answers and errors list them."""

CODES = tuple(HAZARDS)
TEXT_CODES = tuple(code for code in CODES if not code.endswith("_IMAGE"))
IMAGE_CODES = tuple(code for code in CODES if code.endswith("_IMAGE"))
