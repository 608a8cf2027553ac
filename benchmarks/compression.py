"""Compressed files: bits beside the entropy and beside zlib and zstd, decoding rates, and k-means in one dimension.

    python -m benchmarks.compression [--weights FILE.safetensors] [--vgg16]

Codes are of the largest 8 % of a layer's weights in 6 bits: of the first matrix of FILE, else of Gaussian ones. Ratios
compare figures of the same run. `--vgg16` packs and unpacks 138 M random weights under the paper's plan (2 GB of disk).
"""

import argparse
import resource
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from bitarray import bitarray
from bitarray.util import canonical_decode
from sklearn.cluster import KMeans

import archspec
from archspec.compress import huffman as rules
from archspec.compress.blobs import Weights, save
from archspec.compress.clusters import kmeans
from archspec.compress.codecs.base import Array, ByteReader, Counts
from archspec.compress.codecs.gaps import Gaps
from archspec.compress.codecs.huffman import Huffman
from archspec.compress.codecs.shared import Codebook
from archspec.compress.coding import largest
from archspec.compress.names import BEGINNINGS
from archspec.graph.names import state_key

BITS = 6


def cpu(work: Callable[[], Any], runs: int = 3) -> tuple[float, Any]:
    """The least processor seconds of some runs, and the result: other work on the machine counts for little."""
    seconds = []
    for _ in range(runs):
        begin = time.process_time()
        result = work()
        seconds.append(time.process_time() - begin)
    return min(seconds), result


def codes(weights: Array) -> Array:
    """The codes of a pruned layer's shared weights, fillers among them."""
    flat = weights.ravel()
    positions = largest(flat, -(-len(flat) * 8 // 100), "weights")
    content = Codebook(BITS, zero=True).quantised(flat[positions], positions, 1, len(flat))
    return Gaps(5).spread(content.codes, positions, 0)


def sizes(symbols: Array) -> None:
    """Bytes of the codes beside their entropy, and of general compressors."""
    counts = Counts.of(symbols, BITS)
    entropy = float(rules.entropy(counts.each or ()).low) * len(symbols) / 8
    stream, plain = Huffman(BITS), symbols.astype(np.uint8).tobytes()
    ours = len(stream.encode(symbols))
    beside = float(sum(stream.beside(counts).values())) / 8
    huffman_only = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    rows = {
        "order-0 entropy": entropy,
        "Huffman, without tables and blocks": float(stream.payload(counts)) / 8,
        "Huffman, with them": ours,
        "zlib, Huffman only": len(huffman_only.compress(plain) + huffman_only.flush()),
        "zlib -9": len(zlib.compress(plain, 9)),
        "zstd -1": len(zstandard.ZstdCompressor(level=1).compress(plain)),
        "zstd -19": len(zstandard.ZstdCompressor(level=19).compress(plain)),
    }
    print(f"\n{len(symbols):,} codes of {BITS} bits ({beside:.0f} bytes of tables and blocks)")
    for name, size in rows.items():
        print(f"  {name:36} {size:14,.0f} bytes {size / entropy:8.4f} of the entropy")


def rates(symbols: Array) -> None:
    """Symbols decoded per processor second."""
    stream, plain = Huffman(BITS), symbols.astype(np.uint8).tobytes()
    encoded = stream.encode(symbols)
    lengths = np.array(Counts.of(symbols, BITS).lengths)
    blocks = 2 * -(-len(symbols) // 4096)
    bits = bitarray(endian="big")
    bits.frombytes(encoded[2**BITS // 2 + blocks :])
    bits = bits[: int(lengths[symbols].sum())]
    order = np.argsort(lengths, kind="stable")
    table = np.bincount(lengths[lengths > 0]).tolist(), order[lengths[order] > 0].tolist()
    deflated, squeezed = zlib.compress(plain, 9), zstandard.ZstdCompressor(level=1).compress(plain)
    ways: dict[str, Callable[[], Any]] = {
        "this library (NumPy)": lambda: stream.decode(ByteReader(encoded, ""), len(symbols), "codes"),
        "bitarray, before its list": lambda: sum(1 for _ in canonical_decode(bits, *table)),
        "bitarray, into an array": lambda: np.array(list(canonical_decode(bits, *table)), np.uint16),
        "zlib": lambda: zlib.decompress(deflated),
        "zstd": lambda: zstandard.ZstdDecompressor().decompress(squeezed),
    }
    print(f"\ndecoding {len(symbols):,} codes, M symbols per processor second")
    for name, work in ways.items():
        print(f"  {name:36} {len(symbols) / cpu(work)[0] / 1e6:8.1f}")
    print(f"  {'this library, encoding':36} {len(symbols) / cpu(lambda: stream.encode(symbols))[0] / 1e6:8.1f}")


def clusters(weights: Array) -> None:
    """The squared error of each beginning over the least, and 1 M weights at k = 256 beside scikit-learn."""
    flat = weights.ravel()
    kept = flat[largest(flat, -(-len(flat) * 8 // 100), "weights")]
    print(f"\nk-means of {len(kept):,} kept weights: squared error over the least")
    for k in (16, 32, 64, 256):
        errors = {beginning: kmeans(kept, k, beginning) for beginning in BEGINNINGS}
        least = errors["optimal"].error
        print(f"  k = {k:3}  " + "  ".join(f"{name} {found.error / least:6.3f}" for name, found in errors.items()))
    million = np.random.RandomState(0).standard_normal(1_000_000).astype(np.float32)
    print("\nk-means of 1,000,000 weights at k = 256, processor seconds and squared error")
    for beginning in BEGINNINGS:
        seconds, result = cpu(partial(kmeans, million, 256, beginning), 1)
        print(f"  {beginning:36} {seconds:8.2f} {result.error:12.3f} {result.passes:5} passes")
    begin = np.linspace(million.min(), million.max(), 256)[:, None]
    theirs = KMeans(256, init=begin, n_init=1, max_iter=300, algorithm="lloyd")
    seconds, found = cpu(lambda: theirs.fit(million[:, None]), 1)
    name = "scikit-learn, linear, to its tolerance"
    print(f"  {name:36} {seconds:8.2f} {float(found.inertia_):12.3f} {found.n_iter_:5} passes")


class _Drawn(Mapping[str, Array]):
    """Random weights by name, drawn when they are asked for."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.shapes = shapes

    def __getitem__(self, key: str) -> Array:
        drawn = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
        return drawn.standard_normal(self.shapes[key], np.float32) * np.float32(0.02)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def vgg16() -> None:
    """Pack and unpack VGG-16: seconds, and the most memory so far."""
    vgg = archspec.load("vgg16")
    network = vgg.expand()
    shapes = {
        state_key(node.name, weight.name): weight.shape
        for node in network.nodes
        for weight in node.operator.weights(*network.inputs_of(node))
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(_Drawn(shapes), shapes, folder / "w.safetensors")
        steps: dict[str, Callable[[], Any]] = {
            "predict": lambda: archspec.compress.predict(vgg, "vgg16", folder / "w.safetensors"),
            "pack": lambda: archspec.compress.pack(vgg, folder / "w.safetensors", "vgg16", folder / "c.safetensors"),
            "unpack": lambda: archspec.compress.unpack(folder / "c.safetensors").save(folder / "u.safetensors"),
            "verify": lambda: archspec.compress.verify(folder / "c.safetensors"),
        }
        print("\nVGG-16, 138 M random weights, the paper's densities and bits")
        for step, work in steps.items():
            begin = time.perf_counter()
            seconds, found = cpu(work, 1)
            wall = time.perf_counter() - begin
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"  {step:8} {seconds:6.1f} processor seconds, {wall:6.1f} by the clock, {peak:6,.0f} MiB so far")
            if step == "pack":
                print(f"           {found.bytes:,} bytes, {found.size.dense_bytes / found.bytes:.2f}×")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", help="a safetensors file; its first matrix is used")
    parser.add_argument("--vgg16", action="store_true", help="pack and unpack VGG-16 too")
    options = parser.parse_args()
    gaussian = np.random.RandomState(0).standard_normal((4096, 9216)).astype(np.float32)
    layer = gaussian[:300, :784]
    if options.weights:
        source = Weights(options.weights)
        layer = next(source[key] for key in source if source[key].ndim > 1)
    sizes(codes(layer))
    sizes(codes(gaussian))
    rates(codes(gaussian))
    clusters(layer)
    if options.vgg16:
        vgg16()


if __name__ == "__main__":
    main()
