"""k-means in one dimension: the shared numbers of a layer (Han, Mao and Dally 2016, section 3).

Sums are of float64, in the order of the sorted values: the same values give the same numbers on every machine.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archspec.compress.codecs.base import Array

PASSES = 1000
"""After so many passes Lloyd's algorithm stops, moved or not."""

BINS = 4096
"""The optimum is exact for so many different values; of more, for cuts between so many bins, then moved by Lloyd's."""


@dataclass(frozen=True)
class Clusters:
    """What k-means found.

    Attributes:
        centroids: Rising, in float64; as many as were asked for, or as there are different values.
        error: The sum of the squared distances of all values to the nearest.
        passes: How many passes it took.
        settled: Whether the last changed nothing; else it was stopped.
    """

    centroids: Array
    error: float
    passes: int
    settled: bool


def kmeans(values: Array, k: int, beginning: str = "linear", seed: int = 0) -> Clusters:
    """Centroids for values, by Lloyd's algorithm on sorted values and their sums; the values, if they are so few.

    Args:
        values: Finite numbers, at least one.
        k: How many centroids; fewer are given where there are fewer different values.
        beginning: One of `names.BEGINNINGS`.
        seed: Of the random one.

    >>> kmeans(np.array([0, 1, 9, 10.0]), 2).centroids.tolist()
    [0.5, 9.5]
    """
    values = np.sort(values)
    firsts = np.concatenate(([True], values[1:] != values[:-1]))
    if np.count_nonzero(firsts) <= k:  # those of a trained codebook, say, which are to come back as they are
        return Clusters(values[firsts].astype(np.float64), 0.0, 0, settled=True)
    sums = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))  # of the first values, for each number of them
    return _lloyd(values, sums, _begin(values, sums, k, beginning, seed))


def _begin(values: Array, sums: Array, k: int, beginning: str, seed: int) -> Array:
    if beginning == "linear":
        return np.linspace(float(values[0]), float(values[-1]), k)
    if beginning == "density":
        return values[((2 * np.arange(k) + 1) * len(values)) // (2 * k)].astype(np.float64)
    if beginning == "random":
        drawn = random.Random(seed).sample(range(len(values)), k)  # noqa: S311  # the same every time
        return np.sort(values[drawn]).astype(np.float64)
    return optimal(values, sums, k)


def _lloyd(values: Array, sums: Array, centroids: Array) -> Clusters:
    """Passes until no value changes its cluster. A cluster without values stays where it is."""
    before: Array | None = None
    passes, settled = 0, False
    while not settled and passes < PASSES:
        passes += 1
        cuts = _cuts(values, centroids)
        settled = before is not None and np.array_equal(cuts, before)
        before, sizes = cuts, np.diff(cuts)
        means = np.diff(sums[cuts]) / np.maximum(sizes, 1)
        centroids = np.where(sizes > 0, means, centroids)
    return Clusters(centroids, squared_error(values, centroids), passes, settled)


def _cuts(values: Array, centroids: Array) -> Array:
    """Where the values of each centroid begin among sorted ones, and their end."""
    return np.concatenate(([0], np.searchsorted(values, middles(values, centroids), side="right"), [len(values)]))


def middles(values: Array, centroids: Array) -> Array:
    """The middles between rising centroids, in the type of the values: a value above the one is above the other.

    So values need not be turned into float64: the largest number of their type below the middle parts them as well.
    """
    exact = (centroids[1:] + centroids[:-1]) / 2
    near = exact.astype(values.dtype)
    return np.where(near > exact, np.nextafter(near, -np.inf, dtype=values.dtype), near)


def squared_error(values: Array, centroids: Array) -> float:
    """The sum of the squared distances of sorted values to the nearest of rising centroids."""
    sizes = np.diff(_cuts(values, centroids))
    away = values - np.repeat(centroids, sizes)
    return float(np.cumsum(away * away)[-1])


def optimal(values: Array, sums: Array, k: int) -> Array:
    """The centroids of the least squared error: exact of `BINS` different values, else of cuts between bins.

    By dynamic programming over rising cuts (Wang and Song 2011), each row by halves (Grønlund et al. 2017,
    arXiv:1701.07204): the best cut for more values is never before that for fewer.
    """
    firsts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    if len(firsts) > BINS:
        edges = np.linspace(float(values[0]), float(values[-1]), BINS + 1)[1:-1]
        by_width = np.searchsorted(values, edges)
        by_count = firsts[np.searchsorted(firsts, np.arange(BINS) * len(values) // BINS)]
        firsts = np.unique(np.concatenate(([0], by_width[1::2], by_count[::2])))
        firsts = firsts[firsts < len(values)]
    at = np.append(firsts, len(values))
    centre = sums[-1] / len(values)
    first = (sums[at] - centre * at).astype(np.float64)
    squares = np.concatenate(([0.0], np.cumsum((values - centre) ** 2, dtype=np.float64)))[at]
    cuts = _best_cuts(at.astype(np.float64), first, squares, k)
    bounds = at[np.concatenate((cuts, [len(at) - 1]))]
    return np.asarray(np.diff(sums[bounds]) / np.diff(bounds))


def _best_cuts(counts: Array, sums: Array, squares: Array, k: int) -> Array:
    """Where the clusters of the least error begin, given how many values lie before each place, and their sums."""
    n = len(counts) - 1

    def cost(begin: Array, end: Array) -> Array:
        size = np.maximum(counts[end] - counts[begin], 1.0)
        error: Array = squares[end] - squares[begin] - (sums[end] - sums[begin]) ** 2 / size
        return error

    ends = np.arange(n + 1)
    best = cost(np.zeros_like(ends), ends)
    chosen = np.zeros((k, n + 1), np.int32)
    for clusters in range(1, k):
        best = _row(best, cost, clusters, n, chosen[clusters])
    cuts = [n]
    for clusters in range(k - 1, 0, -1):
        cuts.append(int(chosen[clusters, cuts[-1]]))
    return np.array([0, *cuts[:0:-1]])


def _row(before: Array, cost: Callable[[Array, Array], Array], clusters: int, n: int, chosen: Array) -> Array:
    """The least error of the first values in one cluster more, for each number of them; where that begins in `chosen`.

    The ends in the middle between those known lie between their cuts: a level at a time.
    """
    best = np.full(n + 1, np.inf)
    low, high = np.array([clusters + 1]), np.array([n])
    first, last = np.array([clusters]), np.array([n - 1])
    while len(low):
        middle = (low + high) // 2
        ends = np.minimum(last, middle - 1)
        sizes = ends - first + 1
        starts = np.cumsum(sizes) - sizes
        begins = np.arange(int(sizes.sum())) - np.repeat(starts - first, sizes)
        total = before[begins] + cost(begins, np.repeat(middle, sizes))
        least = np.minimum.reduceat(total, starts)
        hits = np.flatnonzero(total == np.repeat(least, sizes))
        at = begins[hits[np.searchsorted(hits, starts)]]  # the first of each that is least
        best[middle], chosen[middle] = least, at
        left, right = low < middle, middle < high
        low, high, first, last = (
            np.concatenate((low[left], (middle + 1)[right])),
            np.concatenate(((middle - 1)[left], high[right])),
            np.concatenate((first[left], at[right])),
            np.concatenate((at[left], last[right])),
        )
    return best
