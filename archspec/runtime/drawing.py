"""Random numbers of one's own: what a thread draws inside follows from a seed, whatever other threads draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Drawing(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's has none
    """Gives what fills arrays at random, on the processor, a generator of its own; torch's own is not touched.

    >>> with Drawing(0):
    ...     one = torch.empty(3).uniform_()
    >>> with Drawing(0):
    ...     two = torch.nn.init.uniform_(torch.empty(3))
    >>> bool((one == two).all())
    True
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call an operation, with the generator where it takes one."""
        given = dict(kwargs or {})
        if any(argument.name == "generator" for argument in func._schema.arguments):
            given["generator"] = self.generator
        return func(*args, **given)
