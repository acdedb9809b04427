"""OpenAI's moderation categories, from guard codes."""

from collections.abc import Mapping, Sequence
from typing import Literal

from app.wire.moderations import ModerationResult
from models.safety.codes import CODES, IMAGE_CODES
from tasks.guardrails import Check, codes_of, scores_of

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "harassment": ("S5", "S10"),
    "harassment/threatening": ("S5", "S10"),
    "hate": ("S10",),
    "hate/threatening": ("S10",),
    "illicit": ("S2", "S7", "S8", "S14"),
    "illicit/violent": ("S1", "S9"),
    "self-harm": ("S11",),
    "self-harm/intent": ("S11",),
    "self-harm/instructions": ("S11",),
    "sexual": ("S3", "S12", "S12_IMAGE", "S15_IMAGE"),
    "sexual/minors": ("S4",),
    "violence": ("S1", "S1_IMAGE"),
    "violence/graphic": ("S1_IMAGE",),
}
"""Each is as likely as the likeliest of its codes. S6 and S13 have no category."""
_THREATENING = "/threatening"
_VIOLENT = "S1"
"""A threat is violence besides: both must apply."""


def moderated(checks: Sequence[Check]) -> ModerationResult:
    """One result over all of `checks`."""
    codes, scores = codes_of(checks), scores_of(checks)
    categories = {
        name: any(code in codes for code in own) and (not name.endswith(_THREATENING) or _VIOLENT in codes)
        for name, own in CATEGORIES.items()
    }
    return ModerationResult(
        flagged=any(categories.values()),
        categories=categories,
        category_scores={name: _score(name, own, scores) for name, own in CATEGORIES.items()},
        category_applied_input_types={name: _applied(own, scores) for name, own in CATEGORIES.items()},
        codes=codes,
        code_scores={code: scores[code] for code in CODES if code in scores},
    )


def _score(name: str, codes: Sequence[str], scores: Mapping[str, float]) -> float:
    score = max((scores.get(code, 0.0) for code in codes), default=0.0)
    return min(score, scores.get(_VIOLENT, 0.0)) if name.endswith(_THREATENING) else score


def _applied(codes: Sequence[str], scores: Mapping[str, float]) -> list[Literal["text", "image"]]:
    judged = [code for code in codes if code in scores]
    applied: list[Literal["text", "image"]] = []
    if any(code not in IMAGE_CODES for code in judged):
        applied.append("text")
    if any(code in IMAGE_CODES for code in judged):
        applied.append("image")
    return applied
