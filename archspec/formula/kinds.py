"""What kind of layer a node is: convolutions told apart by their groups and kernels."""

from archspec import writing
from archspec.dims import equal
from archspec.graph import Network, Node
from archspec.ops.base import per_axis
from archspec.ops.window import Convolution


def kind_of(network: Network, node: Node) -> str:
    """The kind of a node: of a convolution depthwise, pointwise, grouped or its kernel; else its operator's name.

    A convolution of one channel to one is called depthwise, so that a network of width 1 has the kinds of the others.

    >>> from archspec import graph, language
    >>> network = graph.expand(language.load("mobilenet"))
    >>> list(dict.fromkeys(kind_of(network, node) for node in network.nodes if "conv" in node.operator.name))
    ['3×3 conv2d', 'depthwise conv2d', 'pointwise conv2d']
    """
    operator = node.operator
    if not isinstance(operator, Convolution):
        return operator.name
    (x,) = network.inputs_of(node)
    sizes = per_axis(operator.kernel_size, operator.axes)
    one, point = type(operator.groups) is int and operator.groups == 1, all(bool(size == 1) for size in sizes)
    channels = (x.shape[1], operator.out_channels)
    if equal(operator.groups, x.shape[1]) if not one else not point and all(equal(size, 1) for size in channels):
        return f"depthwise {operator.name}"
    shape = "pointwise" if point else writing.sizes(sizes)
    return f"{shape} {operator.name}" if one else f"grouped {shape} {operator.name}"
