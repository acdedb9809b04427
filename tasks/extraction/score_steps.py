"""Records the changes that each step of scoring makes, for a request that asks why a field has its value."""

from dataclasses import dataclass, field

from tasks.extraction.features import Matrix


@dataclass(slots=True)
class ScoreSteps:
    """The changes of the logits, fields × (spans + 1), by the name of the step that made them."""

    changes: list[tuple[str, Matrix]] = field(default_factory=list)
    """Each step with its change, in the order of the steps. The first change is from 0."""
    _latest: Matrix | None = None

    def reached(self, step: str, logits: Matrix) -> None:
        """Record that `step` ended with these logits, which may be changed afterwards."""
        latest = logits.copy()
        self.changes.append((step, latest if self._latest is None else latest - self._latest))
        self._latest = latest
