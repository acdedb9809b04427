"""What one call of a guard model yields, and the judgement of a whole text from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from models.safety.guard import Judgement, Layer, Scores


class NotAVerdict(Exception):
    """A guard model's answer that is not of the form it was trained for: nothing is known of the text. Says nothing of
    the answer's words, which may be the text's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    scores: Scores = field(default_factory=dict)
    """The score of each code that it says something about; 0 for the others."""
    found: tuple[str, ...] = ()
    """The model's own categories."""


def judgement_of(name: str, verdicts: Sequence[Verdict], codes: Sequence[str]) -> Judgement:
    """By `codes`: for each, a text is as bad as its worst window. The layer has the engine's `name`."""
    worst = {code: max((one.scores.get(code, 0.0) for one in verdicts), default=0.0) for code in codes}
    found = tuple(dict.fromkeys(category for one in verdicts for category in one.found))
    return Judgement(worst, (Layer(name, {code: score for code, score in worst.items() if score}, found),))
