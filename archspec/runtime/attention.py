"""What attention needs beyond torch's function."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class DotProductAttention(nn.Module):
    """`scaled_dot_product_attention` with a dropout while training, or a window of keys up to the query's place."""

    def __init__(
        self,
        is_causal: bool = False,
        enable_gqa: bool = False,
        scale: float | None = None,
        dropout_p: float = 0.0,
        window: int | None = None,
    ) -> None:
        super().__init__()
        self.is_causal, self.enable_gqa, self.scale = is_causal, enable_gqa, scale
        self.dropout_p, self.window = dropout_p, window

    def forward(self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """softmax(QKᵀ·scale + mask)·V."""
        if self.window is not None:
            places = torch.arange(query.shape[-2], device=query.device)[:, None]
            behind = places - torch.arange(key.shape[-2], device=query.device)
            attn_mask = (behind >= 0) & (behind < self.window)
        return functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask,
            dropout_p=self.dropout_p if self.training else 0.0,
            is_causal=self.is_causal and attn_mask is None,
            scale=self.scale,
            enable_gqa=self.enable_gqa,
        )

    def extra_repr(self) -> str:
        """What it was made with."""
        settings = {"is_causal": self.is_causal, "enable_gqa": self.enable_gqa, "scale": self.scale}
        settings |= {"dropout_p": self.dropout_p, "window": self.window}
        return ", ".join(f"{name}={value}" for name, value in settings.items())


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
