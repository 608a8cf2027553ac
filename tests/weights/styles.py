"""Our layers under the names that other libraries would give them: each style's names, written anew from its habits."""

import re
from dataclasses import dataclass
from functools import cached_property

from archspec.weights.layers import of_network


@dataclass(frozen=True)
class Place:
    """Where a layer stands: all that a style needs to name it.

    Attributes:
        kind: "conv", "depthwise", "linear" or "norm".
        single: Whether its block has one kernel.
        stage: The number of its stage, from 1; stages are told apart by the first part of the path.
        unit: The number of its block in the stage, from 1.
        index: The number of its block in the network, from 0.
        branch: The name of its parallel branch in the block, "" if there is none.
        branches: The names of all of them.
        number: The number of its kernel in the branch, from 1; of a norm, that of the kernel before it.
        of: How many kernels the branch has.
        se: 1 or 2 for the two layers of squeeze and excitation, 0 for others.
        position: The number of its kernel in the network, from 0.
        dw: Whether the block has depthwise kernels.
        normed: Whether a norm is behind it, or it is one.
        first_depthwise: Whether the block begins with its depthwise layer.
        linears: The number of the linear layer, from 0.
        last: Whether it is the last kernel of the network.
    """

    kind: str
    single: bool
    stage: int
    unit: int
    index: int
    branch: str
    branches: tuple
    number: int
    of: int
    se: int
    position: int
    dw: bool
    normed: bool
    first_depthwise: bool
    linears: int
    last: bool

    @property
    def norm(self):
        return self.kind == "norm"

    @cached_property
    def side(self):
        """Whether it stands in a shortcut."""
        return self.branch == "shortcut"

    @cached_property
    def parallel(self):
        """The number of the branch, from 1, where branches are joined by concatenation; else 0."""
        names = [name for name in self.branches if name not in ("residual", "shortcut")]
        return names.index(self.branch) + 1 if self.branch in names and len(names) > 1 else 0


def places(network):
    """By layer, its place."""
    layers = of_network(network).all
    above = _above(network)
    blocks, stages, units = {}, {}, {}
    for layer in layers:
        blocks.setdefault(layer.block, []).append(layer)
    for block in blocks:
        stage = block.split("/")[0]
        stages.setdefault(stage, len(stages) + 1)
        units[block] = sum(other.split("/")[0] == stage for other in units) + 1
    kernels = [layer for layer in layers if layer.kernel]
    linears = [layer for layer in kernels if len(layer.shape) == 2]
    found = {}
    for index, (block, own) in enumerate(blocks.items()):
        first = {layer.name: _first(layer, block) for layer in own}
        parallel = tuple(
            dict.fromkeys(
                first[one.name]
                for one in own
                for two in own
                if first[one.name] != first[two.name]
                and one.path not in above[two.path]
                and two.path not in above[one.path]
            )
        )
        branches = parallel if "residual" not in first.values() else ("residual", "shortcut")
        inside = {}
        last_kernel = None
        depthwise = [layer for layer in own if _depthwise(layer)]
        own_kernels = [layer for layer in own if layer.kernel]
        for place, layer in enumerate(own):
            branch = first[layer.name] if first[layer.name] in branches else ""
            se = _se(layer)
            if layer.kernel:
                last_kernel = layer
                if not se:
                    inside.setdefault(branch, []).append(layer)
            of = sum(
                k.kernel and not _se(k) and (first[k.name] if first[k.name] in branches else "") == branch for k in own
            )
            following = own[place + 1] if place + 1 < len(own) else None
            found[layer.name] = Place(
                kind="norm"
                if not layer.kernel
                else "linear"
                if len(layer.shape) == 2
                else "depthwise"
                if _depthwise(layer)
                else "conv",
                single=len(own_kernels) == 1,
                stage=stages[block.split("/")[0]],
                unit=units[block],
                index=index,
                branch=branch,
                branches=branches,
                number=len(inside.get(branch, ())),
                of=of,
                se=se,
                position=kernels.index(last_kernel) if last_kernel else 0,
                dw=bool(depthwise),
                normed=not layer.kernel or (following is not None and not following.kernel),
                first_depthwise=bool(depthwise) and own_kernels[0] is depthwise[0],
                linears=linears.index(layer) if layer in linears else 0,
                last=last_kernel is kernels[-1],
            )
    return found


def _above(network):
    above = {"input": set()}
    for node in network.nodes:
        above[node.name] = {node.name}.union(*(above.get(name, set()) for name in node.inputs))
    return above


def _first(layer, block):
    return layer.path[len(block) :].strip("/").split("/")[0]


def _depthwise(layer):
    return layer.kernel and len(layer.shape) == 4 and layer.shape[1] == 1 and layer.shape[2] > 1 and layer.shape[0] > 6


def _se(layer):
    match = re.search(r"/se/gate/(reduce|expand)$", layer.path)
    return 0 if match is None else 1 + (match[1] == "expand")


def timm(p):  # noqa: PLR0911  # one line per habit
    if p.linears or (p.kind == "linear" and p.last):
        return "classifier" if p.last else f"pre_logits.fc{p.linears}"
    if p.single and p.dw is False and not p.parallel and p.unit == 1 and p.index == 0:
        return "bn1" if p.norm else "conv_stem"
    if p.se:
        return f"blocks.{p.stage - 2}.{p.unit - 1}.se.{('conv_reduce', 'conv_expand')[p.se - 1]}"
    block = f"blocks.{p.stage - 2}.{p.unit - 1}" if p.stage > 1 else f"stem.{p.unit - 1}"
    if p.side:
        return f"{block}.downsample.{int(p.norm)}"
    if p.parallel:
        branch = re.sub(r"[^a-z0-9]", "", p.branch)
        branch = branch if p.of == 1 else f"{branch}_{p.number}"
        return f"{block}.{branch}.{'bn' if p.norm else 'conv'}"
    if p.dw:
        if p.norm:
            return f"{block}.bn{p.number}"
        if p.kind == "depthwise":
            return f"{block}.conv_dw" if p.of <= 3 else f"{block}.conv{p.number}_dw"
        before = p.number == 1 or p.of == 2
        name = "conv_pw" if before else "conv_pwl"
        return f"{block}.{name}" if p.of <= 3 else f"{block}.conv{p.number}_pw"
    return f"{block}.{'bn' if p.norm else 'conv'}{p.number}"


def torchvision(p):  # noqa: PLR0911  # one line per habit
    if p.kind == "linear":
        return "fc" if p.last and not p.linears else f"classifier.{3 * p.linears}"
    if "shortcut" in p.branches and not p.dw:
        block = f"layer{p.stage - 1}.{p.unit - 1}"
        if p.side:
            return f"{block}.downsample.{int(p.norm)}"
        return f"{block}.{'bn' if p.norm else 'conv'}{p.number}"
    if p.single and p.normed:
        return f"features.{2 * p.index}.{int(p.norm)}"
    if p.single:
        return f"features.{2 * p.index}"
    if p.se:
        return f"features.{2 * p.index}.block.{p.number}.fc{p.se}"
    if p.parallel:
        place = f"{p.number - 1}." if p.of > 1 else ""
        return f"features.{2 * p.index}.branch{p.parallel}.{place}{'bn' if p.norm else 'conv'}"
    if p.side:
        return f"features.{2 * p.index}.skip.{int(p.norm)}"
    if p.of == p.number > 1 and p.normed:
        return f"features.{2 * p.index}.conv.{p.number - 1 + p.norm}"
    return f"features.{2 * p.index}.conv.{p.number - 1}.{int(p.norm)}"


def transformers(p):  # noqa: PLR0911  # one line per habit
    last = "normalization" if p.norm else "convolution"
    if p.kind == "linear":
        return "classifier.1" if p.last else f"encoder.dense.{p.linears}.dense"
    if p.index == 0 and p.single:
        return f"net.embedder.embedder.{last}"
    block = f"net.encoder.stages.{p.stage - 2}.layers.{p.unit - 1}"
    if p.stage == 1:
        block = f"net.embedder.stem.{p.unit - 1}"
    if p.se:
        return f"{block}.attention.{2 * (p.se - 1)}"
    if p.side:
        return f"{block}.shortcut.{last}"
    if p.parallel:
        return f"{block}.branches.{p.parallel - 1}.layer.{p.number - 1}.{last}"
    if p.dw and p.of <= 3:
        name = "conv_3x3" if p.kind == "depthwise" or (p.norm and p.number == 2 - p.first_depthwise) else None
        name = name or ("expand_1x1" if p.number == 1 else "reduce_1x1")
        return f"{block}.{name}.{last}"
    return f"{block}.layer.{p.number - 1}.{last}"


def pytorchcv(p):  # noqa: PLR0911  # one line per habit
    last = "bn" if p.norm else "conv"
    if p.kind == "linear":
        return f"output.fc{p.linears + 1}.fc" if p.linears or not p.last else "output"
    if p.index == 0 and p.single:
        return f"features.init_block.{last}"
    block = f"features.stage{p.stage - 1}.unit{p.unit}" if p.stage > 1 else f"features.init_block.conv{p.unit}"
    if p.se:
        return f"{block}.se.conv{p.se}"
    if p.side:
        return f"{block}.identity_conv.{last}"
    if p.parallel:
        conv = f"conv_list.conv{p.number}." if p.of > 1 else ""
        return f"{block}.branches.branch{p.parallel}.{conv}{last}"
    if p.dw and p.of <= 3:
        depthwise = p.kind == "depthwise" or (p.norm and p.number == 2 - p.first_depthwise)
        return f"{block}.{'dw_conv' if depthwise else 'pw_conv' if p.of == 2 else f'conv{p.number}'}.{last}"
    return f"{block}.body.conv{p.number}.{last}"


def ultralytics(p):  # one line per habit
    last = "bn" if p.norm else "conv"
    if p.kind == "linear":
        return f"model.{1000 + p.linears}.linear"
    if p.se:
        return f"model.{p.index}.se.fc{p.se}"
    if p.side:
        return f"model.{p.index}.shortcut.0.{last}"
    if p.single:
        return f"model.{p.index}.{last}"
    if p.parallel:
        return f"model.{p.index}.branches.{p.parallel - 1}.cv{p.number}.{last}"
    return f"model.{p.index}.cv{p.number}.{last}"


STYLES = (timm, torchvision, transformers, pytorchcv, ultralytics)


def renamed(network, style):
    """Our layers' names by theirs.

    Raises:
        ValueError: Two layers would have one name.
    """
    found = {}
    for name, place in places(network).items():
        new = style(place)
        if new in found:
            raise ValueError(f"{style.__name__}: '{new}' for '{found[new]}' and '{name}'")
        found[new] = name
    return found
