"""How many voices there are, and what each is like.

Windows are joined bottom-up by the mean cosine between their vectors (average linkage). Clusters that hold too little
speech to be somebody go to those they are nearest to. `tests/bench/diarization.py` measured the constants.
"""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""n × d, rows of length 1."""

SAME_VOICE = 0.26
"""Cosine distance up to which clusters are one voice. Windows of 1.6 s of one speaker are 0.15 to 0.25 apart, those of
two speakers 0.25 (two voices of the same synthesiser) to 0.6."""
MOST_SPEAKERS = 20

_AT_ONCE = 2000
"""Windows whose distances are compared: 32 MB of them, a second's work. More are sampled evenly."""
_LEAST_SECONDS = 3.0
"""A cluster with less speech is nobody, or one tenth of the speech where that is less still."""
_LEAST_SHARE = 0.003
"""A cluster with less of the speech of a long recording is nobody either."""
_NARROWER, _WIDER = 0.9, 1.03
"""Steps of the distance on the way to the number of speakers that was asked for."""
_NARROWEST = 0.08
"""Where to stop when more speakers are asked for than there are."""

_Tree = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Which two clusters are joined, one after the other (the vectors are the first, each join makes one more), and how far
apart they are: ever farther."""


def find_voices(vectors: Vectors, seconds: float, speakers: int | None = None) -> Vectors:
    """The mean voice of each speaker, rows of length 1: as many as `speakers` says or, where there are not so many
    voices, as there are. `vectors` come in order of time, `seconds` is the speech that they cover.

    >>> find_voices(np.eye(2, dtype=np.float32).repeat(9, axis=0), 14.4).shape
    (2, 2)
    """
    sample = vectors[np.linspace(0, len(vectors) - 1, min(len(vectors), _AT_ONCE)).astype(int)]
    if speakers == 1 or len(sample) < 2:
        return _means(sample, np.zeros(len(sample), int))
    least = max(_LEAST_SHARE * seconds, min(_LEAST_SECONDS, seconds / 10)) * len(sample) / seconds
    tree = _tree(np.clip(1 - sample @ sample.T, 0, None))

    def told_apart(distance: float) -> NDArray[np.int64]:
        return _without_small(sample, _cut(tree, distance), least)

    distance = SAME_VOICE
    labels = told_apart(distance)
    if speakers is not None:
        while labels.max() + 1 < speakers and distance > _NARROWEST:
            distance *= _NARROWER
            labels = told_apart(distance)
        while labels.max() + 1 > speakers:
            distance *= _WIDER
            joined = told_apart(distance)
            if joined.max() + 1 < speakers:
                break
            labels = joined
    return _nearest_joined(sample, labels, speakers or MOST_SPEAKERS)


def _tree(distances: NDArray[np.float32]) -> _Tree:
    # Imported here: it takes 60 MB that a server which tells no speakers apart need not spend.
    from sklearn.cluster import AgglomerativeClustering

    linked = AgglomerativeClustering(n_clusters=None, distance_threshold=0, metric="precomputed", linkage="average")
    linked.fit(distances)
    return linked.children_, linked.distances_


def _cut(tree: _Tree, distance: float) -> NDArray[np.int64]:
    """The cluster of each vector once all that are up to `distance` apart are joined."""
    joins, heights = tree
    count = len(joins) + 1
    clusters = np.arange(2 * count - 1)
    for join in range(int(np.searchsorted(heights, distance, side="right")) - 1, -1, -1):
        clusters[joins[join]] = clusters[count + join]
    labels: NDArray[np.int64] = np.unique(clusters[:count], return_inverse=True)[1]
    return labels


def _without_small(vectors: Vectors, labels: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """Labels 0 … n-1 after the vectors of each cluster of fewer than `least`, the smallest first, went to the clusters
    nearest to them."""
    while True:
        names, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        smallest = sizes.argmin()
        if len(names) == 1 or sizes[smallest] >= least:
            return labels
        members = labels == smallest
        likeness = vectors[members] @ _means(vectors, labels).T
        likeness[:, smallest] = -1
        labels[members] = likeness.argmax(axis=1)


def _nearest_joined(vectors: Vectors, labels: NDArray[np.int64], most: int) -> Vectors:
    """The means of the clusters, the two nearest joined until there are at most `most`."""
    while True:
        means = _means(vectors, labels)
        if len(means) <= most:
            return means
        likeness = means @ means.T
        np.fill_diagonal(likeness, -1)
        one, other = np.unravel_index(likeness.argmax(), likeness.shape)
        _, labels = np.unique(np.where(labels == other, one, labels), return_inverse=True)


def _means(vectors: Vectors, labels: NDArray[np.int64]) -> Vectors:
    sums = np.stack([vectors[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    means: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return means
