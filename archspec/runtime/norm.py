"""Normalisations that torch has no module for."""

from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation of an image over its channels, each pixel by itself (ConvNeXt; Liu et al. 2022)."""

    def forward(self, x: Tensor) -> Tensor:
        """The channels to the end, normalised, and back."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
