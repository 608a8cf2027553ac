"""The machine's roof: what one thread could do at most, measured by loops that do nothing else.

Three rates: products of ±1 (XOR, popcount, addition on words in registers), multiply-accumulates of float32 (in
registers), and bytes read from an array of a given size, which for a small one come from a memory near the core.
"""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from archspec.kernels.compiled import INT, LANES, WORDS, address, broadcast, compiled, emitted, popcount, sums

FEATURES: Mapping[str, bool] = dict(llvm.get_host_cpu_features())

CHAINS = 12 if FEATURES.get("avx512f") else 4
"""Sums at once in the loop on bits: enough to hide how long a popcount takes, in the registers that there are."""

FLOAT_CHAINS = 12
"""The same in the loop on float32."""

WIDE = 16 if FEATURES.get("avx512f") else 8
"""Numbers in a vector of the loop on float32."""

FUSED = bool(FEATURES.get("fma")) or platform.machine().lower() in {"aarch64", "arm64"}
"""Whether the processor multiplies and adds at once."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What one thread of this machine could do at most.

    Attributes:
        processor: Its name, as LLVM has it.
        vector_bits: The width of its vectors.
        popcount: How it counts bits.
        products: Products of ±1 a second.
        macs: Multiply-accumulates of float32 a second.
    """

    processor: str
    vector_bits: int
    popcount: str
    products: float
    macs: float

    def seconds(self, macs: float, rate: float, read: int, threads: int) -> float:
        """How long a work takes at least: its arithmetic at a rate, or reading its weights, whichever is longer."""
        return max(macs / (rate * threads), read / (reading(read) * threads))


@cache
def machine() -> Machine:
    """This machine; measured in a quarter of a second, once."""
    steps = 200_000
    bits = np.arange(LANES, dtype=np.uint64)
    real = np.ones(WIDE, np.float32)
    products = steps * CHAINS * LANES * 64 / least(lambda: _count(bits, steps))
    macs = steps * FLOAT_CHAINS * WIDE / least(lambda: _multiply(real, steps))
    return Machine(llvm.get_host_cpu_name(), width(FEATURES), counts(FEATURES), products, macs)


def width(features: Mapping[str, bool]) -> int:
    """The bits of a vector, by what a processor can do.

    >>> width({"avx512f": True, "avx2": True}), width({"avx2": True}), width({"neon": True})
    (512, 256, 128)
    """
    return 512 if features.get("avx512f") else 256 if features.get("avx2") or features.get("avx") else 128


def counts(features: Mapping[str, bool]) -> str:
    """How a processor counts bits, as LLVM makes it.

    >>> counts({"avx512vpopcntdq": True}), counts({"avx2": True}), counts({"neon": True}), counts({})
    ('vpopcntq', 'tables of 4 bits (pshufb)', 'cnt', 'words one by one')
    """
    if features.get("avx512vpopcntdq"):
        return "vpopcntq"
    if features.get("ssse3") or features.get("avx2"):
        return "tables of 4 bits (pshufb)"
    return "cnt" if features.get("neon") else "words one by one"


def reading(size: int) -> float:
    """Bytes a second that one thread reads of an array of this size, read before."""
    return _reading(max(16, (max(size, 1) - 1).bit_length()))


@cache
def _reading(power: int) -> float:
    power = min(power, 28)
    words = np.zeros((2**power // (LANES * 8), LANES), np.uint64)
    times = max(1, 2**22 // words.nbytes)
    return times * words.nbytes / least(lambda: _read(words, times))


def least(work: Callable[[], Any], runs: int = 7) -> float:
    """The least seconds of some runs, after one that is not counted."""
    work()
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return min(found)


# ------------------------------------------------------------------ the loops


@emitted
def _counting(_: Any, words: Any, steps: Any) -> Any:
    """Each sum goes on with the bits in which it differs from a vector: nothing can be left out."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        place = builder.bitcast(address(context, builder, words, given[0], INT(0)), WORDS.as_pointer())
        vector = builder.load(place, align=8)
        totals = sums(builder, CHAINS, WORDS)
        for number, total in enumerate(totals):
            builder.store(builder.add(vector, broadcast(builder, INT(number), WORDS)), total)
        with cgutils.for_range(builder, given[1]):
            for total in totals:
                now = builder.load(total)
                builder.store(builder.add(now, popcount(builder, builder.xor(now, vector))), total)
        _leave(builder, totals, place, "add", 8)
        return context.get_dummy_value()

    return types.void(words, steps), generate


@emitted
def _multiplying(_: Any, numbers: Any, steps: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        kind = ir.VectorType(ir.FloatType(), WIDE)
        place = builder.bitcast(address(context, builder, numbers, given[0], INT(0)), kind.as_pointer())
        vector = builder.load(place, align=4)
        totals = sums(builder, FLOAT_CHAINS, kind)
        for total in totals:
            builder.store(vector, total)
        shape = ir.FunctionType(kind, [kind, kind, kind])
        fused = cgutils.get_or_insert_function(builder.module, shape, f"llvm.fma.v{WIDE}f32")
        with cgutils.for_range(builder, given[1]):
            for total in totals:
                now = builder.load(total)
                both = (
                    builder.call(fused, [now, vector, vector])
                    if FUSED
                    else builder.fadd(builder.fmul(now, vector), vector)
                )
                builder.store(both, total)
        _leave(builder, totals, place, "fadd", 4)
        return context.get_dummy_value()

    return types.void(numbers, steps), generate


@emitted
def _reading_all(_: Any, words: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        place = builder.bitcast(address(context, builder, words, given[0], INT(0)), WORDS.as_pointer())
        totals = sums(builder, 1, WORDS)
        with cgutils.for_range(builder, given[1]) as loop:
            vector = builder.load(builder.gep(place, [loop.index]), align=8)
            builder.store(builder.or_(builder.load(totals[0]), vector), totals[0])
        _leave(builder, totals, place, "or_", 8)
        return context.get_dummy_value()

    return types.void(words, count), generate


def _leave(builder: Any, totals: Any, place: Any, join: str, align: int) -> None:
    """Write all sums down as one, or LLVM would leave the loop out."""
    found = builder.load(totals[0])
    for total in totals[1:]:
        found = getattr(builder, join)(found, builder.load(total))
    builder.store(found, place, align=align)


@compiled
def _count(words: Any, steps: int) -> None:
    _counting(words, steps)


@compiled
def _multiply(numbers: Any, steps: int) -> None:
    _multiplying(numbers, steps)
    numbers[:] = 1  # what the loop left is too large for another


@compiled
def _read(words: Any, times: int) -> None:
    for _ in range(times):
        _reading_all(words, words.shape[0])
