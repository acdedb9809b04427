"""Sets of weights that translate between two languages."""

from pathlib import Path

from models.translation.languages import LANGUAGES, base_of
from models.translation.translator import shortest_route
from models.weights.files import WEIGHT_SETS

MADLAD_FOLDER = "madlad-400"

OPUS_FOLDER = "opus-mt"

MADLAD_400 = WEIGHT_SETS[MADLAD_FOLDER]

OPUS_SETS = tuple(known for known in WEIGHT_SETS.values() if known.pairs)


def sets_between(source: str, target: str, root: Path) -> list[list[str]]:
    """Return the sets of weights that must be pulled to translate between two tags: a list for each alternative, the
    smallest first, without the sets that are below `root`. The result is empty if no set has the target language."""
    by_pair = {pair: each for each in reversed(OPUS_SETS) for pair in each.pairs}
    hops = shortest_route(by_pair, source, target) or []
    chain = dict.fromkeys(by_pair[hop.source or "", hop.target] for hop in hops)
    found = [[each.name for each in chain if each.missing(root)]]
    if MADLAD_FOLDER in LANGUAGES[base_of(target)].engines:
        found.append([MADLAD_400.name])
    return [names for names in found if names]
