"""What attention needs beyond torch's function."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class DotProductAttention(nn.Module):
    """`scaled_dot_product_attention` with a dropout while training, a window of keys, or other than four axes.

    Torch's own fast ways, and its ONNX, are of inputs × heads × tokens × features alone.
    """

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
        elif attn_mask is not None:
            attn_mask = attn_mask.expand(*query.shape[:-3], *attn_mask.shape[-3:]) if query.dim() > 4 else attn_mask
            attn_mask = _four_axes(attn_mask)
        result = functional.scaled_dot_product_attention(
            _four_axes(query),
            _four_axes(key),
            _four_axes(value),
            attn_mask,
            dropout_p=self.dropout_p if self.training else 0.0,
            is_causal=self.is_causal and attn_mask is None,
            scale=self.scale,
            enable_gqa=self.enable_gqa,
        )
        if query.dim() == 3:
            return result.squeeze(1)
        return result.reshape(*query.shape[:-3], *result.shape[1:]) if query.dim() > 4 else result

    def extra_repr(self) -> str:
        """What it was made with."""
        settings = {"is_causal": self.is_causal, "enable_gqa": self.enable_gqa, "scale": self.scale}
        settings |= {"dropout_p": self.dropout_p, "window": self.window}
        return ", ".join(f"{name}={value}" for name, value in settings.items())


def _four_axes(x: Tensor) -> Tensor:
    """Those before the heads as one, or one head."""
    return x.unsqueeze(1) if x.dim() == 3 else x.flatten(0, -4)


class WindowBias(nn.Module):
    """A learned number for each head and offset of two pixels of a window (Liu et al. 2021, arXiv:2103.14030)."""

    def __init__(self, window_size: tuple[int, int], num_heads: int, shift_size: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        self.window_size, self.num_heads, self.shift_size = window_size, num_heads, shift_size
        height, width = window_size
        self.weight = nn.Parameter(torch.empty((2 * height - 1) * (2 * width - 1), num_heads))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As random numbers around zero."""
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Windows × heads × M² × M² for each image, −∞ for pixels that were moved beside each other."""
        height, width = self.window_size
        rows = torch.arange(height, device=x.device).repeat_interleave(width)
        columns = torch.arange(width, device=x.device).repeat(height)
        down = rows[:, None] - rows + height - 1
        right = columns[:, None] - columns + width - 1
        bias = self.weight[down * (2 * width - 1) + right].permute(2, 0, 1)[None, None]
        if any(self.shift_size):
            bias = bias.masked_fill(self._apart(x)[None, :, None], float("-inf"))
        return bias.expand(x.shape[0], *bias.shape[1:])

    def _apart(self, x: Tensor) -> Tensor:
        """Which pixels of a window came from different ends of the image, windows × M² × M²."""
        ends = [
            (torch.arange(size, device=x.device) >= size - shift).reshape(-1, window)
            for size, shift, window in zip(x.shape[-2:], self.shift_size, self.window_size, strict=True)
        ]
        rows, columns = ends[0][:, None, :, None], ends[1][None, :, None, :]
        region = (2 * rows.long() + columns.long()).flatten(0, 1).flatten(1)
        return region[:, :, None] != region[:, None]

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"window_size={self.window_size}, num_heads={self.num_heads}, shift_size={self.shift_size}"


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
