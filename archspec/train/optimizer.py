"""A recipe's optimiser, and its state as tensors with names."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from archspec.errors import ArchspecError
from archspec.train.recipe import Recipe


def build(parameters: Iterable[nn.Parameter], recipe: Recipe) -> Optimizer:
    """The optimiser of what learns; a parameter may say itself, by its `decays`, whether it does.

    >>> groups = build(nn.Linear(3, 2).parameters(), Recipe(weight_decay=0.1, decay="matrices")).param_groups
    >>> [(group["weight_decay"], [tuple(p.shape) for p in group["params"]]) for group in groups]
    [(0.1, [(2, 3)]), (0.0, [(2,)])]
    """
    everything = list(parameters)
    decayed = [p for p in everything if getattr(p, "decays", recipe.decay == "all" or p.ndim > 1)]
    others = [p for p in everything if all(p is not other for other in decayed)]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": recipe.weight_decay}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0})
    lr = recipe.lr
    if recipe.optimizer == "sgd":
        nesterov = recipe.nesterov and recipe.momentum > 0
        return SGD(groups, lr=lr, momentum=recipe.momentum, nesterov=nesterov, fused=True)
    if recipe.optimizer == "rmsprop":
        return RMSprop(groups, lr=lr, momentum=recipe.momentum)
    family = Adam if recipe.optimizer == "adam" else AdamW
    return family(groups, lr=lr, fused=True)


def tensors_of(optimizer: Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser by the parameter's number and what it is: "0.momentum_buffer"."""
    state: Mapping[int, Mapping[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def restore(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimiser its state back; tensors come to lie in memory as their parameters do.

    Raises:
        ArchspecError: The state is of other parameters.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        if not number.isdecimal() or int(number) >= len(parameters):
            raise ArchspecError(f"the optimiser's state has {key}; there are {len(parameters)} parameters")
        parameter = parameters[int(number)]
        if value.ndim and value.shape != parameter.shape:
            raise ArchspecError(
                f"the optimiser's state {key} is {tuple(value.shape)}, its parameter {tuple(parameter.shape)}"
            )
        # a fused step runs over both memories in one go: their strides must agree
        state.setdefault(int(number), {})[name] = (
            torch.empty_like(parameter).copy_(value) if value.ndim else value.clone()
        )
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
