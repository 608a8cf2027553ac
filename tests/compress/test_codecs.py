"""Codecs one by one: what they write, byte by byte; that it comes back; and that its size is what they say."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.compress import huffman as rule
from archspec.compress.codecs.base import ByteReader, Counts, Stats, added, padding
from archspec.compress.codecs.bitmask import Bitmask
from archspec.compress.codecs.constant import Constant
from archspec.compress.codecs.factors import Factors
from archspec.compress.codecs.gaps import Gaps
from archspec.compress.codecs.huffman import BLOCK, Huffman, canonical
from archspec.compress.codecs.index import Dense
from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.codecs.numbers import Numbers
from archspec.compress.codecs.rows import CompressedRows
from archspec.compress.codecs.shared import Codebook
from archspec.compress.codecs.signs import Signs
from archspec.compress.codecs.streams import Fixed, Floats
from archspec.compress.coding import Coding, largest
from archspec.compress.huffman import limited_lengths
from archspec.compress.names import LONGEST
from archspec.errors import ArchspecError

law = partial(settings, derandomize=True, deadline=None)


def symbols(*values):
    return np.array(values, np.uint16)


# ------------------------------------------------------------------ streams


@pytest.mark.parametrize(
    ("stream", "values", "bits"),
    [
        (Fixed(3), [1, 2, 7], "001 010 111 0000000"),
        (Fixed(1), [1, 0, 1, 1, 0, 0, 0, 1, 1], "10110001 1 0000000"),
        (Fixed(8), [1, 255], "00000001 11111111"),
        (Fixed(16), [258], "00000001 00000010"),
        (Fixed(5), [], ""),
        # lengths 1 3 3 2: codes 0, 110, 111, 10; 15 bits in the only block
        (Huffman(2), [0, 0, 0, 3, 3, 1, 2, 0], "0001 0011 0011 0010 | 00001110 00000000 | 0 0 0 10 10 110 111 0 00"),
        (Huffman(1), [1, 1, 1], "0000 0001 | 00000011 00000000 | 000 00000"),  # one symbol has a code of one bit
        (Huffman(1), [], "0000 0000"),  # no block, no code
    ],
)
def test_a_stream_has_these_bits(stream, values, bits):
    written = stream.encode(symbols(*values))
    assert f"{int.from_bytes(written):0{8 * len(written)}b}"[: 8 * len(written)] == bits.translate({32: "", 124: ""})
    reader = ByteReader(written, "x")
    assert stream.decode(reader, len(values), "t").tolist() == values
    assert reader.at == len(written)


@law(max_examples=150)
@given(st.integers(1, 12), st.integers(0, 9000), st.integers(0, 2**32 - 1), st.booleans(), st.floats(0.05, 0.95))
def test_a_stream_comes_back_and_is_as_long_as_it_says(bits, count, seed, huffman, p):
    drawn = np.random.RandomState(seed)
    values = np.minimum(drawn.geometric(p, count) - 1, 2**bits - 1).astype(np.uint16)
    stream = Huffman(bits) if huffman else Fixed(bits)
    written = stream.encode(values)
    reader = ByteReader(written, "x")
    assert np.array_equal(stream.decode(reader, count, "t"), values)
    counts = Counts.of(values, bits)
    payload = stream.payload(counts)
    assert 8 * len(written) == payload + padding(payload) + sum(stream.beside(counts).values())
    assert reader.ledger.get("t", 0) == payload
    assert sum(reader.ledger.values()) == 8 * len(written)
    assert payload == sum(stream.length(counts, symbol) for symbol in values.tolist())


def test_a_sample_of_a_stream_is_of_whole_blocks():
    values = np.random.RandomState(1).choice(8, 40 * BLOCK + 5, p=[0.3, 0.2, *[0.5 / 6] * 6]).astype(np.uint16)
    written = Huffman(3).encode(values)
    sample = Huffman(3).decode(ByteReader(written, "x"), len(values), "t", sample=True)
    assert len(sample) == 15 * BLOCK + 5
    assert np.array_equal(sample[:BLOCK], values[:BLOCK])
    assert np.array_equal(sample[-5:], values[-5:])


@law(max_examples=100)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=200).filter(any))
def test_lengths_are_huffmans_where_these_are_short_enough(frequencies):
    assert max(rule.code_lengths(frequencies)) > LONGEST or limited_lengths(frequencies) == rule.code_lengths(
        frequencies
    )


def shortest_of_at_most(frequencies, longest):
    """The bits of the best code of at most so many bits, by trying all ways to fill the tree a level at a time."""
    found = {(0, 1): 0}  # symbols placed, nodes open on this level → bits
    ordered = sorted(frequencies, reverse=True)
    for length in range(1, longest + 1):
        following = {}
        for (placed, nodes), bits in found.items():
            for here in range(min(2 * nodes, len(ordered) - placed) + 1):
                state = placed + here, min(2 * nodes - here, len(ordered))
                cost = bits + length * sum(ordered[placed : placed + here])
                following[state] = min(following.get(state, cost), cost)
        found = following  # what is complete stays so, with nothing placed on the next level
    return min(bits for (placed, _), bits in found.items() if placed == len(ordered))


@pytest.mark.parametrize("count", [17, 20, 24])
def test_longer_codes_are_limited_at_the_least_cost(count):
    fibonacci = [1, 1]
    while len(fibonacci) < count:
        fibonacci.append(sum(fibonacci[-2:]))
    lengths = limited_lengths(fibonacci)
    assert max(rule.code_lengths(fibonacci)) == count - 1
    assert max(lengths) == LONGEST
    assert sum(Fraction(1, 2**length) for length in lengths) == 1
    bits = sum(f * length for f, length in zip(fibonacci, lengths, strict=True))
    assert bits == shortest_of_at_most(fibonacci, LONGEST)


def test_more_symbols_than_codes_are_refused():
    with pytest.raises(ArchspecError, match="32769 symbols have no codes of 15 bits at most"):
        limited_lengths([*range(1, 2**15 + 1), 2**70])


def test_a_block_of_the_longest_codes_is_counted_in_16_bits():
    assert BLOCK * LONGEST < 2**16 <= BLOCK * (LONGEST + 1)


def test_bitarray_decodes_our_codes():
    """Given the lengths alone: how many codes there are of each, and the symbols in the order of their codes."""
    from bitarray import bitarray
    from bitarray.util import canonical_decode

    values = np.random.RandomState(6).choice(40, 3000, p=np.arange(1, 41) / 820).astype(np.uint16)
    lengths = np.array(Counts.of(values, 6).lengths)
    bits = bitarray(endian="big")
    bits.frombytes(Huffman(6).encode(values)[2**6 // 2 + 2 :])
    used = int(lengths[values].sum())
    order = np.argsort(lengths, kind="stable")
    symbols = order[lengths[order] > 0].tolist()
    assert list(canonical_decode(bits[:used], np.bincount(lengths[lengths > 0]).tolist(), symbols)) == values.tolist()
    assert sorted(canonical(lengths)[lengths == lengths.max()].tolist())[-1] == 2 ** int(lengths.max()) - 1


# ------------------------------------------------------------------ where weights are


@pytest.mark.parametrize(
    ("index", "positions", "written"),
    [
        # Figure 2 of Deep Compression: gaps of 3 bits, 1, 2, and 10 = 7 and a filler that moves 8, then 2
        (Gaps(3), [1, 4, 15], "04000000" + "2974"[:4]),
        (Gaps(8), [0, 2], "02000000" + "0001"),
        (Gaps(4), [], "00000000"),
        (CompressedRows(), [1, 4, 15], "00000000" "02000000" "03000000" + "01000000" "04000000" "07000000"),
        (CompressedRows(3), [1, 4, 15], "00000000" "02000000" "03000000" + "3380"),  # 001 100 111
        (Bitmask(), [1, 4, 15], "4801"),
        (Dense(), list(range(16)), ""),
    ],
)  # fmt: skip
def test_an_index_is_written_so(index, positions, written):
    """Of a matrix of 2 × 8."""
    positions = np.array(positions, np.int64)
    data = index.encode(positions, 2, 8)
    if not isinstance(index, Gaps) or index.bits != 3:
        assert data.hex() == written
    else:  # 001 010 111 010: skipped 1, 2, then a filler, then 2
        assert data.hex() == "04000000" + f"{0b0010_1011_1010_0000:04x}"
    assert index.decode(ByteReader(data, "x"), 2, 8).tolist() == (
        [1, 4, 12, 15] if isinstance(index, Gaps) and index.bits == 3 else positions.tolist()
    )


@law(max_examples=150)
@given(st.data(), st.sampled_from(["gaps", "coded", "rows", "bitmask"]), st.integers(1, 6), st.integers(1, 90))
def test_an_index_comes_back_and_is_as_long_as_it_says(data, form, rows, columns):
    elements = rows * columns
    positions = np.array(sorted(data.draw(st.sets(st.integers(0, elements - 1)))), np.int64)
    bits = data.draw(st.integers(1, 8))
    index = {"gaps": Gaps(bits), "coded": Gaps(bits, huffman=True), "rows": CompressedRows(7), "bitmask": Bitmask()}[
        form
    ]
    filled, gaps = index.stats(positions)
    written = index.encode(positions, rows, columns)
    reader = ByteReader(written, "x")
    found = index.decode(reader, rows, columns)
    codes = index.spread(np.ones(len(positions), np.uint16), positions, 0)
    assert found[codes == 1].tolist() == positions.tolist()
    assert len(found) == len(positions) + filled
    terms = index.terms(Stats(len(positions), filled, None, gaps), rows, columns)
    assert sum(terms.values()) == 8 * len(written) == sum(reader.ledger.values())


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("huffman", [False, True])
@pytest.mark.parametrize("percent", [3, 10, 33, 70])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_what_is_expected_of_gaps_is_what_independent_ones_have(huffman, percent, bits):
    density, elements = Fraction(percent, 100), 400_000
    kept = int(density * elements)
    positions = np.sort(np.random.RandomState(0).permutation(elements)[:kept])
    index = Gaps(bits, huffman)
    said, is_ = (
        sum(added(index.terms(Stats(kept, filled, None, gaps), 1, elements)).values())
        for filled, gaps in (index.expected(density, kept), index.stats(positions))
    )
    assert float(said) == pytest.approx(is_, rel=0.01)


# ------------------------------------------------------------------ what stands for weights


def content(values, array, positions=None):
    array = np.array(array, np.float32)
    return values.quantised(array.ravel() if positions is None else array, positions, *array.reshape(1, -1).shape)


def test_shared_numbers_are_as_many_as_there_are_different_values():
    found = content(Codebook(2), [1, 1, 1, 2])
    assert found.tables[0].tolist() == [1, 2, 0, 0]
    assert found.codes.tolist() == [0, 0, 0, 1]


def test_with_fillers_the_first_shared_number_is_their_zero():
    found = content(Codebook(2, zero=True), [5, 1, 2, 3, 4])
    assert found.tables[0][0] == 0
    assert found.codes.min() == 1
    assert set(np.diff(found.tables[0][1:]) > 0) == {True}


def test_a_value_between_two_shared_numbers_takes_the_smaller():
    assert content(Codebook(1), [0, 4]).tables[0].tolist() == [0, 4]
    from archspec.compress.clusters import middles
    from archspec.compress.codecs.shared import nearest

    values = np.array([0, 2, np.nextafter(np.float32(2), np.float32(3)), 4], np.float32)
    assert nearest(middles(values, np.array([0.0, 4.0])), values).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("values", "array", "codes", "numbers"),
    [
        # scale 127/127 = 1; half goes to the even level
        (LinearQuantisation(8), [-127, 0.5, 1.5, 127], [1, 128, 130, 255], [-127, 0, 2, 127]),
        # scale 7/-8: the largest in size is level -8, exactly
        (LinearQuantisation(4, "signed"), [7, -6.125, 0, 0.875], [0, 15, 8, 7], [7, -6.125, 0, 0.875]),
        # from -1 to 2 in 3 steps: scale 1, zero point 1
        (LinearQuantisation(2, "zero_point"), [-1, 0, 1, 2], [0, 1, 2, 3], [-1, 0, 1, 2]),
        (
            LinearQuantisation(2, "zero_point"),
            [1, 2, 3, 3],
            [1, 2, 3, 3],
            [1, 2, 3, 3],
        ),  # 0 is a level, although no weight is
        (LinearQuantisation(4, per=2), [7, 1, 14, 2], [15, 9, 15, 9], [7, 1, 14, 2]),
        (LinearQuantisation(4, per=3), [7, 1, 7, 2], [15, 9, 15, 15], [7, 1, 7, 2]),  # the last group is shorter
        (LinearQuantisation(3), [0, 0, 0, 0], [4, 4, 4, 4], [0, 0, 0, 0]),  # all zero: a scale of 0
        (
            LinearQuantisation(8, scale_bits=16),
            [1e-9, 0, 0, 0],
            [128] * 4,
            [0] * 4,
        ),  # a scale below the least of 16 bits
    ],
)
def test_levels_follow_their_rule(values, array, codes, numbers):
    found = content(values, array)
    assert found.codes.tolist() == codes
    assert values.numbers(found, None, len(array)).tolist() == numbers


def test_a_scale_beyond_16_bits_is_refused():
    with pytest.raises(ArchspecError, match="above 65504"):
        content(LinearQuantisation(2, scale_bits=16), [1e6])
    with pytest.raises(ArchspecError, match="above 65504"):
        content(Numbers(16), [1e6])


@law(max_examples=100)
@given(
    st.sampled_from(["symmetric", "signed", "zero_point"]),
    st.integers(2, 12),
    st.sampled_from(["tensor", "channel", 1, 5, 32]),
    st.integers(0, 2**32 - 1),
)
def test_no_weight_is_further_than_half_a_step_from_its_level(rule, bits, per, seed):
    """But for the one end that `signed` has not: there it is up to a whole step."""
    array = np.random.RandomState(seed).standard_normal((6, 11)).astype(np.float32)
    values = LinearQuantisation(bits, rule, per)
    found = values.quantised(array.ravel(), None, 6, 11)
    numbers = values.numbers(found, None, 11)
    step = np.abs(found.tables[0][values._group(None, 11, slice(0, 66))])
    assert (np.abs(numbers - array.ravel()) <= step * (1 if rule == "signed" else 0.5) * 1.0001).all()


def test_levels_of_some_weights_are_those_of_all():
    array = np.random.RandomState(2).standard_normal((6, 11)).astype(np.float32)
    for per in ("tensor", "channel", 4):
        values = LinearQuantisation(6, per=per)
        all_, some = (values.quantised(array.ravel(), positions, 6, 11) for positions in (None, np.arange(66)))
        assert np.array_equal(all_.codes, some.codes)
        assert np.array_equal(all_.tables[0], some.tables[0])
        assert np.array_equal(values.numbers(all_, None, 11), values.numbers(some, np.arange(66), 11))


def test_the_sign_of_zero_is_plus_one_in_files_as_in_layers():
    import torch

    from archspec.runtime.binary import sign

    array = np.array([[-1.0, -0.0, 0.0, 2.0]], np.float32)
    values = Signs(32)
    found = values.quantised(array.ravel(), None, 1, 4)
    assert found.codes.tolist() == [0, 1, 1, 1]
    assert found.tables[0].tolist() == [0.75]
    assert (values.numbers(found, None, 4) / 0.75).tolist() == sign(torch.from_numpy(array)).flatten().tolist()


@pytest.mark.parametrize("shape", [(4, 9), (9, 4)])
def test_two_thin_matrices_of_full_rank_are_the_matrix(shape):
    array = np.random.RandomState(3).standard_normal(shape).astype(np.float32)
    for rank in (1, 4):
        values = Factors(rank)
        found = values.quantised(array.ravel(), None, *shape)
        near = values.numbers(found, None, shape[1]).reshape(shape)
        u, s, v = np.linalg.svd(array, full_matrices=False)
        best = (u[:, :rank] * s[:rank]) @ v[:rank]
        assert np.abs(near - best).max() < 1e-4


def test_a_constant_is_told_and_not_written():
    coding = Coding("a.weight", (3,), Constant(1.0))
    assert coding.encode(coding.symbols(np.ones(3, np.float32))) == b""
    assert coding.array(coding.decode(ByteReader(b"", "x"))).tolist() == [1, 1, 1]
    with pytest.raises(ArchspecError, match=r"said to be 1.0 and is not"):
        coding.symbols(np.zeros(3, np.float32))


# ------------------------------------------------------------------ which weights are kept


@law(max_examples=200)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=60), st.integers(1, 60))
def test_the_largest_are_kept_of_equals_the_first_and_no_zeros(values, count):
    array = np.array(values, np.float32)
    order = sorted((i for i, value in enumerate(values) if value), key=lambda i: (-abs(values[i]), i))
    assert largest(array, count, "w").tolist() == sorted(order[:count])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_refused(bad):
    array = np.array([[1, bad]], np.float32)
    for density, index in ((1, Dense()), (Fraction(1, 2), Bitmask())):
        with pytest.raises(ArchspecError, match=r"a\.weight holds a number that is not finite"):
            Coding("a.weight", (1, 2), Numbers(), index, density=density).symbols(array)


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(ArchspecError, match=r"a\.weight is 3; the network's is 1×2"):
        Coding("a.weight", (1, 2)).symbols(np.zeros(3, np.float32))


def test_numbers_of_16_bits_that_come_to_be_zero_are_not_stored():
    coding = Coding("a.weight", (1, 3), Numbers(16), Gaps(2), density=1)
    found = coding.symbols(np.array([[1e-9, 1, 2]], np.float32))
    assert found.positions.tolist() == [1, 2]


def test_columns_are_scanned_as_rows_of_the_transposed():
    array = np.random.RandomState(4).standard_normal((5, 7)).astype(np.float32)
    for index in (Gaps(2), CompressedRows(), Bitmask()):
        by_columns = Coding("a.weight", (5, 7), Numbers(), index, "columns", Fraction(1, 3))
        by_rows = Coding("a.weight", (7, 5), Numbers(), index, "rows", Fraction(1, 3))
        written = by_columns.encode(by_columns.symbols(array))
        assert written == by_rows.encode(by_rows.symbols(np.ascontiguousarray(array.T)))
        back = by_columns.array(by_columns.decode(ByteReader(written, "x")))
        assert np.array_equal(back.T, by_rows.array(by_rows.decode(ByteReader(written, "x"))))
        assert np.count_nonzero(back) == 12
        assert set(back[back != 0]) <= set(array.ravel())


def test_floats_are_little_endian():
    assert Floats(32).encode(np.array([1.0])).hex() == "0000803f"
    assert Floats(16).encode(np.array([1.0])).hex() == "003c"
