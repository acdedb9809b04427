"""The result of one call of a guard model, and the judgement of a whole text from such results."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.safety.guard import Judgement, Scores


class NotAVerdict(Exception):
    """Raised if a guard model's answer does not have the form that the model was trained for, so that there is no
    verdict. The message quotes no words of the answer, because they may come from the text."""


@dataclass(frozen=True, slots=True)
class Verdict:
    scores: Scores = field(default_factory=dict)
    """Score of each code that the answer mentions. All other codes have the score 0."""


def judgement_of(verdicts: Sequence[Verdict], codes: Sequence[str]) -> Judgement:
    """Return the judgement by `codes`. The score of each code is the highest of all windows."""
    return Judgement({code: max((one.scores.get(code, 0.0) for one in verdicts), default=0.0) for code in codes})
