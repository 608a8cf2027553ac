"""Blocks that are filled from parts of several blocks of a source."""

from collections.abc import Iterator, Mapping, Sequence

from archspec.weights.layers import Layer


def mixed(layers: Sequence[Layer], filled: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each block whose layers come from several modules of the source that fill other blocks too.

    Args:
        layers: The network's.
        filled: By a layer's name, the source's.
    """
    blocks: dict[str, set[str]] = {}
    modules: dict[str, set[str]] = {}
    for layer in layers:
        if layer.name in filled:
            blocks.setdefault(layer.block, set()).add(layer.name)
            for module in _modules(filled[layer.name]):
                modules.setdefault(module, set()).add(layer.name)
    for block, own in blocks.items():
        crossing = {
            module: modules[module]
            for name in own
            for module in _modules(filled[name])
            if modules[module] - own and own - modules[module]
        }
        smallest = [name for name in crossing if not any(other.startswith(f"{name}.") for other in crossing)]
        if len(smallest) > 1:
            sources = " and ".join(f"'{name}'" for name in sorted(smallest)[:3])
            yield f"block '{block}' is filled from parts of several blocks of the source: {sources}"


def _modules(name: str) -> Iterator[str]:
    """The modules that a layer of the source is in, but not the whole."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
