"""Fronts of numbers, held against the comparison of every two points."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.errors import BindingError
from archspec.sweeps import rows as fronts
from archspec.sweeps.criteria import objective, objectives
from archspec.sweeps.rows import beside, front, ranked


def by_definition(points):
    """The first of each vector that no other outdoes, by its place, with how often the vector is there."""
    found = {}
    for place, mine in enumerate(points):
        outdone = any(o != mine and all(a <= b for a, b in zip(o, mine, strict=True)) for o in points)
        if not outdone and mine not in [points[other] for other in found]:
            found[place] = points.count(mine)
    return found


@pytest.mark.parametrize("objectives", [2, 3, 4])
@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_front_is_what_no_point_outdoes(objectives, data):
    most = data.draw(st.sampled_from([2, 6, 10**12]))
    points = data.draw(st.lists(st.tuples(*[st.integers(-most, most)] * objectives), max_size=30))
    columns = [np.array(column, dtype=np.int64) for column in zip(*points, strict=True)] or [np.arange(0)] * objectives
    places, alike = front(columns, [np.arange(len(points))], np.ones(len(points), dtype=np.int64))
    assert dict(zip(places.tolist(), alike.tolist(), strict=True)) == by_definition(points)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_it_is_so_however_many_are_compared_at_once(objectives, monkeypatch):
    points = [tuple(row) for row in np.random.default_rng(5).integers(0, 40, (400, objectives)).tolist()]
    columns = [np.array(column) for column in zip(*points, strict=True)]
    expected = by_definition(points)
    for chunk, table in ((512, 2**21), (7, 50)):
        monkeypatch.setattr(fronts, "CHUNK", chunk)
        monkeypatch.setattr(fronts, "TABLE", table)
        places, alike = front(columns, [np.arange(400)], np.ones(400, dtype=np.int64))
        assert dict(zip(places.tolist(), alike.tolist(), strict=True)) == expected


def test_the_least_of_what_says_first_stands_for_points_of_the_same_values():
    column = np.array([4, 4, 4])
    places, alike = front([column, column], [np.array([0, 0, 0]), np.array([9, 2, 5])], np.array([1, 2, 3]))
    assert (places.tolist(), alike.tolist()) == ([1], [6])


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_goes_because_of_a_neighbour_is_on_no_front(a, b, c, data):
    random = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    shapes = [(a, b, 1), (1, b, c), (a, 1, 1)]
    values = [random.integers(0, 4, shape) for shape in shapes]
    alive = random.random((a, b, c)) < 0.8
    kept = beside(values, alive)
    assert not (kept & ~alive).any()
    full = [np.broadcast_to(each, alive.shape) for each in values]
    points = [tuple(int(each[place]) for each in full) for place in zip(*np.nonzero(alive), strict=True)]
    left = {tuple(int(each[place]) for each in full) for place in zip(*np.nonzero(kept), strict=True)}
    assert {points[place] for place in by_definition(points)} <= left


def test_numbers_of_any_kind_are_ordered_and_what_is_undefined_is_last():
    column = np.array([Fraction(1, 3), None, 2**70, -1, Fraction(1, 3)], dtype=object)
    last = np.iinfo(np.int64).max
    assert ranked(column).tolist() == [1, last, 2, 0, 1]
    assert ranked(column, largest=True).tolist() == [-1, last, -2, 0, -1]
    edge = np.array([np.iinfo(np.int64).min, 5])
    assert ranked(edge, largest=True).tolist() == [0, -1], "whose negative is no int64"


def test_objectives_are_read_as_they_are_written():
    assert str(objective(" max: params ")) == "max:params"
    assert [str(each) for each in objectives(["macs", "max:params"])] == ["min:macs", "max:params"]
    with pytest.raises(BindingError, match="got none"):
        objectives([])
