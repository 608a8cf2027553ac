"""Torch's own counter of operations, told the way round what it misses on a processor."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


@contextmanager
def flop_counter(device: str) -> Iterator[FlopCounterMode]:
    """Count the floating-point operations of what is run inside.

    On a processor the fused kernels of attention and of recurrent layers count as nothing (pytorch#195460); there both
    run as the products that they are made of. On the meta device the counter knows them.
    """
    with ExitStack() as stack:
        if device != "meta":
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other chips
                stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        yield stack.enter_context(FlopCounterMode(display=False))
