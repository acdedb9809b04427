from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np

from tasks.wording.viterbi import best_tags


def test_the_tags_have_the_highest_sum_of_all_sequences() -> None:
    chance = np.random.default_rng(1)
    scores = chance.normal(size=(4, 3)).astype(np.float32)
    first, moves = (chance.normal(size=size).astype(np.float32) for size in (3, (3, 3)))

    def total(tags: Sequence[int]) -> float:
        own = sum(float(scores[place, tag]) for place, tag in enumerate(tags))
        return own + float(first[tags[0]]) + sum(float(moves[one, other]) for one, other in pairwise(tags))

    assert best_tags(scores, first, moves) == max(map(list, product(range(3), repeat=4)), key=total)
    assert best_tags(scores[:1], first, moves) == [int((scores[0] + first).argmax())]
