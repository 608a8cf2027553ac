"""What attention needs beyond torch's function."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class AttentionWithDropout(nn.Module):
    """`scaled_dot_product_attention` whose dropout is left out when evaluating."""

    def __init__(
        self, dropout_p: float = 0.0, is_causal: bool = False, enable_gqa: bool = False, scale: float | None = None
    ) -> None:
        super().__init__()
        self.dropout_p, self.is_causal, self.enable_gqa, self.scale = dropout_p, is_causal, enable_gqa, scale

    def forward(self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """softmax(QKᵀ·scale + mask)·V, parts of the softmax set to zero while training."""
        return functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask,
            dropout_p=self.dropout_p if self.training else 0.0,
            is_causal=self.is_causal,
            enable_gqa=self.enable_gqa,
            scale=self.scale,
        )

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"dropout_p={self.dropout_p}, is_causal={self.is_causal}, enable_gqa={self.enable_gqa}"


class RotaryEmbedding(nn.Module):
    """Pairs of the last axis turned by their place on the axis before it (Su et al. 2021, arXiv:2104.09864)."""

    def __init__(self, base: float = 10000, interleaved: bool = False) -> None:
        super().__init__()
        self.base, self.interleaved = base, interleaved

    def forward(self, x: Tensor) -> Tensor:
        """x·cos + x′·sin, where x′ is (−b, a) of each pair (a, b)."""
        length, width = x.shape[-2:]
        exponents = torch.arange(0, width, 2, device=x.device, dtype=torch.float32) / width
        places = torch.arange(length, device=x.device, dtype=torch.float32)
        angles = torch.outer(places, self.base**-exponents)
        if self.interleaved:
            angles = angles.repeat_interleave(2, -1)
            turned = torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
        else:
            angles = torch.cat((angles, angles), -1)
            turned = torch.cat((-x[..., width // 2 :], x[..., : width // 2]), -1)
        return x * angles.cos().to(x.dtype) + turned * angles.sin().to(x.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"base={self.base}, interleaved={self.interleaved}"
