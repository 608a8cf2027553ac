"""One bit against float32 on this machine: single layers and whole networks, one thread.

    python -m benchmarks.one_bit [--runs N] [--threads N] [--compiled] [--numpy] [--networks] [--cpu-time]

A ratio is of medians of two forms that took turns: bits, and the quickest form of torch's float32, found likewise:
images as n × c × h × w, channels last, and compiled (torch.compile, which needs a C++ compiler; --compiled). GFLOP/s of
that form stand beside the machine's roof, the rate of a loop of multiply-adds on registers. Rows of one-bit weights
alone (BWN) add real inputs. `--networks` measures XNOR-AlexNet, without groups as its paper, and XNOR-ResNet-18.
"""

import argparse
import copy
import shutil
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn

import archspec
from archspec.kernels.layers import packed
from archspec.kernels.measuring import in_turn
from archspec.kernels.roof import machine
from archspec.runtime.binary import BinaryConv2d, BinaryLinear

WAYS = ("numba", "int8", "numpy")

AIMS = {"3×3, 256 channels, 14²": 4, "fully connected 4096²": 15}


def layers() -> dict[str, tuple[Any, tuple[int, ...]]]:
    """One-bit layers by name, and their inputs' shapes."""
    return {
        "3×3, 256 channels, 14²": (BinaryConv2d(256, 256, 3, padding=1, bias=False), (1, 256, 14, 14)),
        "1×1, 256 channels, 14²": (BinaryConv2d(256, 256, 1, bias=False), (1, 256, 14, 14)),
        "fully connected 4096²": (BinaryLinear(4096, 4096, bias=False), (1, 4096)),
        "fully connected 4096², batch 32": (BinaryLinear(4096, 4096, bias=False), (32, 4096)),
        "BWN 3×3, 256 channels, 14²": (
            BinaryConv2d(256, 256, 3, padding=1, bias=False, binary_input=False),
            (1, 256, 14, 14),
        ),
        "BWN fully connected 4096²": (BinaryLinear(4096, 4096, bias=False, binary_input=False), (1, 4096)),
    }


def real(layer: Any) -> nn.Module:
    """The same layer in float32."""
    if isinstance(layer, BinaryLinear):
        return nn.Linear(layer.in_features, layer.out_features, bias=False).eval()
    return nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, padding=layer.padding, bias=False).eval()


def forms(layer: Any, x: torch.Tensor, options: argparse.Namespace) -> dict[str, Callable[[], Any]]:
    """The works to take turns: float32 in its forms, bits in their ways."""
    plain = real(layer)
    models: dict[str, tuple[Any, torch.Tensor]] = {"float32": (plain, x)}
    if x.dim() == 4:
        last: Any = copy.deepcopy(plain)
        models["channels last"] = (
            last.to(memory_format=torch.channels_last),
            x.contiguous(memory_format=torch.channels_last),
        )
    if options.compiled:
        models |= {f"{name} compiled": (torch.compile(model), given) for name, (model, given) in models.items()}
    ways = ["numba", "int8", *["numpy"] * options.numpy] if layer.binary_input else ["numba"]
    models |= {way: (packed(layer.eval(), way), x) for way in ways}
    return {name: partial(model, given) for name, (model, given) in models.items()}


def measure_layers(options: argparse.Namespace) -> None:
    """Print a table of layers: the forms of float32 take turns, then the quickest of them with each way of bits."""
    clock = time.thread_time if options.cpu_time else time.perf_counter
    print(f"\n{'layer':32} {'float32 ms':>10} {'GFLOP/s':>8} {'of roof':>8} {'bits ms':>8} {'ratio':>7} {'aim':>6}")
    with torch.inference_mode():
        for name, (layer, shape) in layers().items():
            works = forms(layer, torch.randn(shape), options)
            ways = {way: works.pop(way) for way in WAYS if way in works}
            floats = in_turn(works, options.runs, clock)
            best = min(floats, key=floats.__getitem__)
            seconds = {way: in_turn({best: works[best], way: work}, options.runs, clock) for way, work in ways.items()}
            once, bits = seconds["numba"][best], seconds["numba"]["numba"]
            pixels = shape[-1] * shape[-2] if len(shape) == 4 else shape[0]
            rate = 2 * layer.weight.numel() * pixels / once
            others = {form: f"{each * 1e3:.3f}" for form, each in floats.items()}
            others |= {way: f"{each[best] / each[way]:.2f}×" for way, each in seconds.items() if way != "numba"}
            print(
                f"{name:32} {once * 1e3:10.3f} {rate / 1e9:8.1f} {rate / machine().macs / 2:8.0%} {bits * 1e3:8.3f} "
                f"{once / bits:6.2f}× {f'≥ {AIMS[name]}×' if name in AIMS else '':>6}  "
                + ", ".join(f"{form} {each}" for form, each in others.items())
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too, if there is a C++ compiler")
    parser.add_argument("--numpy", action="store_true", help="the reference too, which is slow")
    parser.add_argument("--networks", action="store_true", help="whole networks too")
    parser.add_argument("--cpu-time", action="store_true", help="the thread's time: where others work too")
    options = parser.parse_args()
    if options.compiled and not shutil.which("c++"):
        parser.error("--compiled needs a C++ compiler, and there is none on the path")
    torch.set_num_threads(options.threads)
    found = machine()
    print(
        f"torch {torch.__version__}, {options.threads} thread(s); {found.processor}, vectors of {found.vector_bits} "
        f"bits, {found.popcount}\nroof of a thread: {found.macs * 2 / 1e9:.0f} GFLOP/s, {found.products / 1e9:.0f}·10⁹ "
        f"products of ±1 a second, {found.products / found.macs:.1f} times the multiply-accumulates"
    )
    measure_layers(options)
    if options.networks:
        for spec, plan, bindings in (
            ("alexnet", "xnor_alexnet", {"groups": 1}),
            ("alexnet", "bwn_alexnet", {"groups": 1}),
            ("resnet18", "xnor_resnet18", {}),
        ):
            arch, runs = archspec.load(spec), max(1, options.runs // 4)
            print(f"\n{arch.measure(bindings, plan=plan, threads=options.threads, runs=runs)}")


if __name__ == "__main__":
    main()
