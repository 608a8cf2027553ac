"""Networks and plans at random, for laws that hold of all."""

from random import Random

import numpy as np

import archspec
from archspec.compress.plan import LayerPlan, Plan
from archspec.graph.names import state_key

TEXT = """
archspec: 1
name: small
symbols:
  c: {default: 6, range: [1, 40]}
  k: {default: 3, choices: [1, 3]}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: c, kernel_size: k, padding: same}, as: first}
  - batch_norm
  - relu
  - {conv2d: {out_channels: 2 * c, kernel_size: k, padding: same, groups: c, bias: false}, as: second}
  - {batch_norm: {affine: false}, as: plain}
  - {conv_transpose2d: {out_channels: 4, kernel_size: 2}, as: third}
  - {binary_conv2d: {out_channels: 5, kernel_size: 3}, as: native}
  - flatten
  - {linear: {out_features: 10}, as: fourth}
"""
SMALL = archspec.loads(TEXT)
LAYERS = ("first", "second", "third", "fourth")


def entry(random: Random, layer: str) -> LayerPlan:
    """What a plan does to a layer."""
    kind = random.choice(["plain", "rank", "binary", "shared", "shared", "shared", "linear", "linear", "numbers"])
    if kind == "plain":
        return LayerPlan(layer=layer)
    if kind == "rank":
        return LayerPlan(layer=layer, rank=1)
    if kind == "binary" and layer != "third":
        return LayerPlan(
            layer=layer, binary=random.choice(["weights", "xnor"]), input_scale=random.choice([True, False])
        )
    keys = {"layer": layer, "scan": random.choice(["rows", "rows", "columns", "auto"])}
    keys["density"] = random.choice([1, "1/2", "3 %", "0.3", f"{random.randint(1, 99)} %"])
    keys["index"] = random.choice(["gaps", "rows", "bitmask", "auto", *(["dense"] if keys["density"] == 1 else [])])
    if keys["index"] in ("gaps", "auto"):
        keys["index_bits"] = random.randint(1, 8)
        keys["index_huffman"] = random.choice([None, "coded", min(3, keys["index_bits"])])
    if kind == "shared":
        keys["weight_bits"] = random.choice([1, 2, 3, 4, 5, 6, 8, random.randint(1, 15)])
        keys["weight_huffman"] = random.choice([None, "coded", min(2, keys["weight_bits"])])
        keys["codebook"] = random.choice(["linear", "linear", "density", "random", "optimal"])
    if kind == "linear":
        keys["linear_bits"] = random.choice([2, 3, 4, 8, 8, random.randint(2, 15)])
        keys["weight_huffman"] = random.choice([None, "coded"])
        keys["linear_rule"] = random.choice(["symmetric", "signed"])
        keys["linear_per"] = random.choice(["tensor", "channel", random.randint(1, 40)])
        keys["scale_bits"] = random.choice([16, 32])
        if random.random() < 0.2:
            keys = {key: keys[key] for key in ("layer", "linear_bits", "weight_huffman", "linear_per", "scale_bits")}
            keys["linear_rule"] = "zero_point"
    return LayerPlan(**{key: value for key, value in keys.items() if value is not None})


def plan(random: Random) -> Plan:
    """A plan for some layers of the network."""
    entries = [entry(random, layer) for layer in LAYERS if random.random() < 0.8]
    return Plan(
        name="random",
        number_bits=random.choice([16, 32, 32]),
        batch_norm=random.choice(["keep", "fold"]),
        layers=entries or [LayerPlan(layer="*")],
        **random.choice([{}, {}, {"other_bits": random.randint(2, 16)}]),
    )


def weights(network, seed: int, *, kind: str = "normal") -> dict[str, np.ndarray]:
    """Arrays for a network: variances positive; with ties, zeros, or all alike as the kind says."""
    drawn = np.random.RandomState(seed)
    found = {}
    for node in network.nodes:
        for weight in node.operator.weights(*network.inputs_of(node)):
            array = drawn.standard_normal(weight.shape).astype(np.float32)
            if kind == "ties":
                array = np.round(array)
            elif kind == "zeros":
                array *= drawn.random_sample(weight.shape) < 0.05
            elif kind == "one":
                array = np.full(weight.shape, 0.5, np.float32)
            if weight.name == "running_var":
                array = np.abs(array) + np.float32(0.1)
            found[state_key(node.name, weight.name)] = array.astype(np.float32)
    return found


KINDS = ("normal", "normal", "ties", "zeros", "one")
