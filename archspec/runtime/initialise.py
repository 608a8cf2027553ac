"""The weights of a model as its paper has them at the beginning of training."""

import torch
from torch import nn

from archspec.graph import Network
from archspec.graph.initial import initial
from archspec.graph.names import state_key
from archspec.runtime.calls import live
from archspec.spec.initialisation import Initialisation


def initialise(model: nn.Module, network: Network, initialisation: Initialisation) -> None:
    """Fill the arrays of a model anew; those that the rules do not name stay as they are.

    Raises:
        SpecError: A rule is of a name that no part of the network has.
    """
    arrays = dict(model.named_parameters())
    with torch.no_grad():
        for (node, array), filling in initial(network, initialisation).items():
            live(filling.call())(arrays[state_key(node, array)])
