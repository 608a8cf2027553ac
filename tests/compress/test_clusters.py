"""k-means in one dimension: against all ways to cut, and the properties of Lloyd's algorithm."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.compress import clusters
from archspec.compress.clusters import kmeans, squared_error
from archspec.compress.names import BEGINNINGS

law = partial(settings, derandomize=True, deadline=None)


def least(values, k):
    """The least error of all ways to cut sorted values into k parts."""
    values = np.sort(values)
    return min(
        sum(((part - part.mean()) ** 2).sum() for part in np.split(values, cuts))
        for cuts in combinations(range(1, len(values)), k - 1)
    )


@law(max_examples=120)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=11), st.integers(1, 6))
def test_the_optimum_is_the_best_of_all_cuts(values, k):
    array = np.array(values, np.float64)
    found = kmeans(array, k, "optimal")
    distinct = len(set(values))
    assert len(found.centroids) == min(k, distinct)
    assert found.error == pytest.approx(least(array, min(k, distinct)), abs=1e-9)
    assert found.settled


@law(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from(BEGINNINGS))
def test_every_beginning_ends_where_no_value_is_nearer_to_another(seed, k, beginning):
    values = np.random.RandomState(seed).standard_normal(200).astype(np.float32)
    found = kmeans(values, k, beginning)
    assert found.settled
    assert (np.diff(found.centroids) > 0).all()
    away = np.abs(values[:, None] - found.centroids).min(1)
    assert found.error == pytest.approx(float((away.astype(np.float64) ** 2).sum()), rel=1e-6)
    assert found.error >= kmeans(values, k, "optimal").error * (1 - 1e-9)


def test_the_optimum_of_many_values_is_close_to_that_of_finer_bins(monkeypatch):
    """Two-sided, pruned values as the paper has them: the cuts between 4,096 bins cost next to nothing."""
    values = np.random.RandomState(0).standard_normal(200_000).astype(np.float32)
    values = values[np.abs(values) > 1.2]
    coarse = kmeans(values, 32, "optimal").error
    monkeypatch.setattr(clusters, "BINS", 16384)
    assert coarse <= kmeans(values, 32, "optimal").error * 1.0005


def test_a_linear_beginning_leaves_clusters_empty_in_the_middle():
    values = np.concatenate((np.linspace(-3, -2, 500), np.linspace(2, 3, 500)))
    linear, optimal = (kmeans(values, 16, beginning).error for beginning in ("linear", "optimal"))
    assert linear > 5 * optimal


def test_a_pass_too_many_is_said(monkeypatch):
    monkeypatch.setattr(clusters, "PASSES", 1)
    found = kmeans(np.random.RandomState(0).standard_normal(1000), 8)
    assert not found.settled
    assert found.passes == 1


def test_the_same_seed_draws_the_same_and_another_others():
    values = np.random.RandomState(0).standard_normal(300)
    one, two, other = (kmeans(values, 60, "random", seed).centroids.tolist() for seed in (1, 1, 2))
    assert one == two != other


def test_the_error_is_that_of_the_nearest():
    assert squared_error(np.array([0.0, 1, 10]), np.array([0.0, 9])) == 0 + 1 + 1
