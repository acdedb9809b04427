"""An ImageGuard over a network that says how sure it is of each of its labels."""

from collections.abc import Mapping, Sequence

from models.host import EngineHost
from models.safety.guard import Judgement, Layer, Scores
from models.safety.images.views import LONG, views
from models.vision.text import Image

Sureness = Mapping[str, float]
"""0 to 1 by label, as the network measures it; a label that is left out is not there."""


class LabelledGuard:
    """Implements models.safety.guard.ImageGuard. A long picture is also judged in parts: the worst of them counts."""

    def __init__(
        self,
        host: EngineHost[Image, Sureness],
        meaning: Mapping[str, Mapping[str, float]],
        *,
        threshold: float,
        exclusive: bool,
        longest: float = LONG,
    ) -> None:
        """`meaning`: by code, the labels that mean it, and the part (0 to 1) of their sureness that counts for it.
        `exclusive`: the labels share one certainty (a softmax), which adds up; else the surest label counts. `longest`:
        as of `views`."""
        self.name = host.spec.name
        self.codes = frozenset(meaning)
        self.thresholds: Scores = dict.fromkeys(meaning, threshold)
        self._host = host
        self._meaning = meaning
        self._exclusive = exclusive
        self._longest = longest

    async def judge(self, picture: Image, codes: Sequence[str], *, wait: bool = False) -> Judgement:
        found = await self._host.run_many(views(picture, self._longest), wait=wait)
        scores = {code: max(self._score(code, sureness) for sureness in found) for code in codes}
        wanted = {label for code in codes for label in self._meaning[code]}
        surest = {label: max(sureness.get(label, 0.0) for sureness in found) for label in wanted}
        named = [label for label in surest if surest[label] >= min(self.thresholds.values())]
        named.sort(key=lambda label: (-surest[label], label))
        return Judgement(scores, (Layer(self.name, scores, tuple(named)),))

    def _score(self, code: str, sureness: Sureness) -> float:
        parts = [weight * sureness.get(label, 0.0) for label, weight in self._meaning[code].items()]
        return min(1.0, sum(parts)) if self._exclusive else max(parts)
