"""The hazards as a policy that a policy-following model judges by: MLCommons' definitions, in this project's words."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.safety.codes import HAZARDS


@dataclass(frozen=True, slots=True)
class Section:
    violates: str
    safe: str
    unsafe_example: str
    safe_example: str


SECTIONS: Mapping[str, Section] = {
    code: Section(**row)
    for code, row in tomllib.loads(Path(__file__).with_name("policy.toml").read_text("utf-8")).items()
}
"""A section for each of TEXT_CODES."""


def policy_of(codes: Sequence[str]) -> str:
    """The sections of `codes`, in the form that gpt-oss-safeguard is documented to follow best."""
    return "\n\n".join(
        f"## {code} {HAZARDS[code]}\n"
        f"VIOLATES (1): {section.violates}\n"
        f"SAFE (0): {section.safe}\n"
        f'EXAMPLES: "{section.unsafe_example}" is 1. "{section.safe_example}" is 0.'
        for code, section in ((code, SECTIONS[code]) for code in codes)
    )
