"""One-bit layers by numba: signs into words, differing signs counted in vectors, factors after the whole numbers.

Everything that numba compiles stands in this file, since its cache asks for the time of the file that holds a function
and not of those that the function calls. Where no folder can be written, what is compiled is not kept.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

F = TypeVar("F", bound=Callable[..., Any])

LANES = 8
"""Words of 64 bits in a vector: one register of AVX-512, two of AVX2, four of NEON; LLVM says which for a processor."""

EIGHT = np.uint64(LANES)

ROWS = 4
"""Rows that meet a vector while it is in a register."""

FLOATS = 16
"""Numbers of 32 bits in a vector."""

SPAN = 256
"""Real numbers added one after the other, before their sum is added to the sums of others: long sums lose digits."""

NEAR = 2**13
"""Words of what windows see at once, and of the counts of that: 32 KiB, which stay in the memory next to the core."""

WORDS = ir.VectorType(ir.IntType(64), LANES)
REALS = ir.VectorType(ir.FloatType(), FLOATS)
INT, SHORT = ir.IntType(64), ir.IntType(32)


emitted: Callable[[Any], Any] = intrinsic
"""A function whose body is written in LLVM's language, called from compiled ones."""


_promised: list[tuple[Any, Any]] = []
"""Functions, and the types of arguments that they will be compiled for."""


def compiled(function: F) -> F:
    """A function for numba to compile, outside Python's lock, and to keep where it finds a folder for that."""
    made: F
    try:
        made = numba.njit(None, cache=True, nogil=True)(function)
    except RuntimeError:  # neither the folder of this file nor one of the user's can be written
        made = numba.njit(None, nogil=True)(function)
    return made


def compiled_for(*given: Any) -> Callable[[F], F]:
    """The same, for arguments of these types alone; `ready` compiles it."""

    def promised(function: F) -> F:
        made = compiled(function)
        _promised.append((made, types.void(*given)))
        return made

    return promised


def ready() -> None:
    """Compile what has its types: the first call is as quick as all others.

    Inside a graph that torch compiles there may not be a first call: torch would trace numba's compiler.
    """
    while _promised:
        function, signature = _promised.pop()
        function.compile(signature)
        function.disable_compile()


def _array(kind: Any, axes: int) -> Any:
    """The type of an array without gaps."""
    return types.Array(kind, axes, "C")


# ------------------------------------------------------------------ vectors


def address(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    """The address of an entry of a contiguous array, counted from its first."""
    return builder.gep(make_array(kind)(context, builder, array).data, [place])


def broadcast(builder: Any, value: Any, kind: ir.VectorType) -> Any:
    """A vector of equal numbers."""
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, SHORT(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(SHORT, kind.count), [0] * kind.count))


def popcount(builder: Any, words: Any) -> Any:
    """The bits that are set, of each word."""
    kind = ir.FunctionType(WORDS, [WORDS])
    name = f"llvm.ctpop.v{LANES}i64"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [words])


def sums(builder: Any, count: int, kind: ir.VectorType) -> list[Any]:
    """Vectors to add to, which LLVM keeps in registers."""
    return [cgutils.alloca_once_value(builder, ir.Constant(kind, [0] * kind.count)) for _ in range(count)]


def _add(builder: Any, total: Any, value: Any, add: str = "add") -> None:
    builder.store(getattr(builder, add)(builder.load(total), value), total)


def _differing(rows: int) -> Any:
    @emitted
    def tile(_: Any, words: Any, row: Any, lanes: Any, block: Any, counts: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            length = builder.extract_value(make_array(words)(context, builder, given[0]).shape, 1)
            width = builder.extract_value(make_array(counts)(context, builder, given[4]).shape, 1)
            every = [builder.add(given[1], INT(number)) for number in range(rows)]
            begins = [address(context, builder, words, given[0], builder.mul(each, length)) for each in every]
            across = address(context, builder, lanes, given[2], builder.mul(given[3], builder.mul(length, INT(LANES))))
            across = builder.bitcast(across, WORDS.as_pointer())
            totals = sums(builder, rows, WORDS)
            for total in totals:
                builder.store(ir.Constant(WORDS, [0] * LANES), total)
            with cgutils.for_range(builder, length) as loop:
                vector = builder.load(builder.gep(across, [loop.index]), align=8)
                for begin, total in zip(begins, totals, strict=True):
                    word = broadcast(builder, builder.load(builder.gep(begin, [loop.index])), WORDS)
                    _add(builder, total, popcount(builder, builder.xor(vector, word)))
            narrow = ir.VectorType(SHORT, LANES)
            for each, total in zip(every, totals, strict=True):
                place = builder.add(builder.mul(each, width), builder.mul(given[3], INT(LANES)))
                there = builder.bitcast(address(context, builder, counts, given[4], place), narrow.as_pointer())
                builder.store(builder.trunc(builder.load(total), narrow), there, align=4)
            return context.get_dummy_value()

        return types.void(words, row, lanes, block, counts), generate

    return tile


_differing_four, _differing_one = _differing(ROWS), _differing(1)


@compiled
def count_differing(rows: Any, begin: int, end: int, lanes: Any, first: int, last: int, counts: Any) -> None:
    """The differing bits of some rows of words with some blocks of columns: rows × blocks·LANES.

    Rows × length, blocks × length × LANES.
    """
    whole = end - (end - begin) % ROWS
    for block in range(first, last):
        for row in range(begin, whole, ROWS):
            _differing_four(rows, row, lanes, block, counts)
        for row in range(whole, end):
            _differing_one(rows, row, lanes, block, counts)


# ------------------------------------------------------------------ signs into words


@compiled
def pack_rows(x: Any, words: Any) -> None:
    """The signs of each row, a bit set where a number is below 0: rows × features to rows × words."""
    for row in range(x.shape[0]):
        for word in range(words.shape[1]):
            bits = np.uint64(0)
            for bit in range(min(64, x.shape[1] - 64 * word)):
                bits |= np.uint64(x[row, 64 * word + bit] < 0) << np.uint64(bit)
            words[row, word] = bits


@emitted
def _signs(_: Any, x: Any, channel: Any, last: Any, pixel: Any, planes: Any, word: Any) -> Any:
    """Of LANES pixels side by side the signs of some channels, as words: no branch, which would be guessed wrongly."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        pixels = builder.extract_value(make_array(x)(context, builder, given[0]).shape, 1)
        width = builder.extract_value(make_array(planes)(context, builder, given[4]).shape, 1)
        begin = address(context, builder, x, given[0], given[3])
        (total,) = sums(builder, 1, WORDS)
        builder.store(ir.Constant(WORDS, [0] * LANES), total)
        numbers = ir.VectorType(ir.FloatType(), LANES)
        none = ir.Constant(WORDS, [0] * LANES)
        with cgutils.for_range(builder, builder.sub(given[2], given[1])) as loop:
            place = builder.mul(builder.add(given[1], loop.index), pixels)
            there = builder.bitcast(builder.gep(begin, [place]), numbers.as_pointer())
            below = builder.fcmp_ordered("<", builder.load(there, align=4), ir.Constant(numbers, [0.0] * LANES))
            bit = broadcast(builder, builder.shl(INT(1), loop.index), WORDS)
            _add(builder, total, builder.select(below, bit, none), "or_")
        place = builder.add(builder.mul(given[5], width), given[3])
        there = builder.bitcast(address(context, builder, planes, given[4], place), WORDS.as_pointer())
        builder.store(builder.load(total), there, align=8)
        return context.get_dummy_value()

    return types.void(x, channel, last, pixel, planes, word), generate


@compiled
def pack_planes(x: Any, planes: Any) -> None:
    """The signs of an image along its channels: channels × pixels to words × pixels."""
    channels, pixels = x.shape
    for word in range(planes.shape[0]):
        first, last = 64 * word, min(64 * word + 64, channels)
        whole = pixels // LANES * LANES
        for pixel in range(0, whole, LANES):
            _signs(x, first, last, pixel, planes, word)
        for pixel in range(whole, pixels):
            bits = np.uint64(0)
            for channel in range(first, last):
                bits |= np.uint64(x[channel, pixel] < 0) << np.uint64(channel - first)
            planes[word, pixel] = bits


@compiled
def gather(planes: Any, window: Any, lanes: Any, first: int, last: int) -> None:
    """What the windows of some pixels see, +1 in the padding: blocks × (taps·words) × LANES; what is left stays.

    The window: height and width of the image, of the kernel, of the result; stride, top and left padding, dilation.
    """
    height, width, tall, wide, _, across, down, right, top, left, fall, spread = window
    words = planes.shape[0]
    for tap in range(tall * wide):
        upwards, sideways = top - tap // wide * fall, left - tap % wide * spread
        begin, end = -(-sideways // right), (width - 1 + sideways) // right + 1  # the columns that see no padding
        for word in range(words):
            at, plane = tap * words + word, planes[word]
            pixel, y, x = first, first // across, first % across
            while pixel < last:
                stop = min(across, x + last - pixel)
                row = y * down - upwards
                inside = 0 <= row < height
                low = min(max(begin, x), stop) if inside else stop
                high = max(min(end, stop), low)
                place = row * width - sideways
                go = pixel - x - first
                for column in range(x, low):
                    lane = np.uint64(go + column)
                    lanes[lane // EIGHT, np.uint64(at), lane % EIGHT] = 0
                for column in range(low, high):
                    lane = np.uint64(go + column)
                    lanes[lane // EIGHT, np.uint64(at), lane % EIGHT] = plane[np.uint64(place + column * right)]
                for column in range(high, stop):
                    lane = np.uint64(go + column)
                    lanes[lane // EIGHT, np.uint64(at), lane % EIGHT] = 0
                pixel += stop - x
                x, y = 0, y + 1


# ------------------------------------------------------------------ layers


@compiled_for(
    _array(types.float32, 2),
    _array(types.uint64, 3),
    _array(types.float32, 2),
    _array(types.float32, 1),
    _array(types.float32, 1),
    _array(types.float32, 2),
    types.int64,
    types.int64,
)
def linear(x: Any, lanes: Any, means: Any, alpha: Any, bias: Any, y: Any, first: int, last: int) -> None:
    """y = (features − 2·differing)·mean·α + bias for rows of real numbers, of some blocks of features."""
    features, length, few = x.shape[1], lanes.shape[1], 64
    begin, end = first * LANES, min(last * LANES, y.shape[1])
    words = np.empty((few, length), np.uint64)
    counts = np.empty((few, lanes.shape[0] * LANES), np.int32)
    for top in range(0, x.shape[0], few):
        bottom = min(top + few, x.shape[0])
        pack_rows(x[top:bottom], words)
        count_differing(words, 0, bottom - top, lanes, first, last, counts)
        for row in range(top, bottom):
            mean, count = means[row, 0], counts[row - top]
            full, two = np.float32(features), np.float32(2)
            for feature in range(begin, end):
                whole = full - two * np.float32(count[feature])
                y[row, feature] = whole * mean * alpha[feature] + bias[feature]


@compiled_for(
    _array(types.float32, 4),
    _array(types.uint64, 3),
    types.UniTuple(types.int64, 12),
    types.Tuple([_array(types.int32, 1), _array(types.int32, 1), _array(types.int32, 3)]),
    _array(types.float32, 2),
    _array(types.float32, 2),
    _array(types.float32, 2),
    _array(types.float32, 4),
    types.int64,
    types.int64,
)
def convolve(  # noqa: PLR0913  # numba takes no mapping
    x: Any, rows: Any, window: Any, border: Any, means: Any, alpha: Any, bias: Any, y: Any, begin: int, end: int
) -> None:
    """The same for images and some filters: (total − 2·differing − the weights on padded taps)·K·α + bias.

    x: n × groups × channels × pixels; rows: groups × filters × (taps·words); y: n × groups × filters × pixels. The
    border: the pixels whose windows have padded taps, in order; the case of each; and groups × filters × cases the sum
    of the weights on padded taps. The whole numbers are below 2²⁴, so float32 holds them, and twice as many stand in a
    vector as of int64.
    """
    edge, case, lost = border
    groups, _, length = rows.shape
    pixels, channels = y.shape[3], x.shape[2]
    full, two = np.float32(channels * window[2] * window[3]), np.float32(2)
    planes = np.empty(((channels + 63) // 64, x.shape[3]), np.uint64)
    blocks = (pixels + LANES - 1) // LANES
    some = max(1, min(blocks, NEAR // (length * LANES), NEAR // ((end - begin) * LANES // 2)))
    lanes = np.empty((some, length, LANES), np.uint64)
    counts = np.empty((end, some * LANES), np.int32)
    loss = np.empty(some * LANES, np.int32)
    for image in range(x.shape[0]):
        for group in range(groups):
            pack_planes(x[image, group], planes)
            for first in range(0, blocks, some):
                now = min(some, blocks - first)
                pixel = first * LANES
                width = min(pixels - pixel, now * LANES)
                gather(planes, window, lanes, pixel, pixel + width)
                count_differing(rows[group], begin, end, lanes, 0, now, counts)
                low, high = np.searchsorted(edge, pixel), np.searchsorted(edge, pixel + width)
                loss[:] = 0
                for each in range(begin, end):
                    for number in range(low, high):
                        loss[edge[number] - pixel] = lost[group, each, case[number]]
                    scale, shift = alpha[group, each], bias[group, each]
                    start = np.uint64(pixel)  # numba asks of a signed index whether it counts from the end
                    for at in range(np.uint64(width)):
                        whole = full - two * np.float32(counts[np.uint64(each), at]) - np.float32(loss[at])
                        result = whole * means[np.uint64(image), start + at] * scale + shift
                        y[np.uint64(image), np.uint64(group), np.uint64(each), start + at] = result


# ------------------------------------------------------------------ one-bit weights, real inputs


def _adding(rows: int) -> Any:
    @emitted
    def tile(_: Any, x: Any, row: Any, masks: Any, block: Any, begin: Any, end: Any, out: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
            length = builder.extract_value(make_array(x)(context, builder, given[0]).shape, 1)
            width = builder.extract_value(make_array(out)(context, builder, given[6]).shape, 1)
            every = [builder.add(given[1], INT(number)) for number in range(rows)]
            begins = [address(context, builder, x, given[0], builder.mul(each, length)) for each in every]
            bits = address(context, builder, masks, given[2], builder.mul(given[3], length))
            totals = sums(builder, rows, REALS)
            for total in totals:
                builder.store(ir.Constant(REALS, [0.0] * FLOATS), total)
            with cgutils.for_range_slice(builder, given[4], given[5], INT(1)) as (at, _counted):
                mask = builder.bitcast(builder.load(builder.gep(bits, [at])), ir.VectorType(ir.IntType(1), FLOATS))
                for begin_of, total in zip(begins, totals, strict=True):
                    number = broadcast(builder, builder.load(builder.gep(begin_of, [at])), REALS)
                    before = builder.load(total)
                    taken = builder.select(mask, builder.fsub(before, number), builder.fadd(before, number))
                    builder.store(taken, total)
            for each, total in zip(every, totals, strict=True):
                place = builder.add(builder.mul(each, width), builder.mul(given[3], INT(FLOATS)))
                there = builder.bitcast(address(context, builder, out, given[6], place), REALS.as_pointer())
                builder.store(builder.fadd(builder.load(there, align=4), builder.load(total)), there, align=4)
            return context.get_dummy_value()

        return types.void(x, row, masks, block, begin, end, out), generate

    return tile


_adding_four, _adding_one = _adding(ROWS), _adding(1)


@compiled_for(
    _array(types.float32, 2),
    _array(types.uint16, 2),
    _array(types.float32, 2),
    types.int64,
    types.int64,
)
def add_signed(x: Any, masks: Any, out: Any, first: int, last: int) -> None:
    """Rows of real numbers, each added or taken off as some blocks of features say: rows × features.

    Masks: blocks × length, a bit for each of FLOATS features.
    """
    rows, length = x.shape
    whole = rows - rows % ROWS
    out[:, first * FLOATS : last * FLOATS] = 0
    for block in range(first, last):
        for begin in range(0, length, SPAN):
            end = min(begin + SPAN, length)
            for row in range(0, whole, ROWS):
                _adding_four(x, row, masks, block, begin, end, out)
            for row in range(whole, rows):
                _adding_one(x, row, masks, block, begin, end, out)
