"""Recurrent layers that give the sequence, or the last state, and nothing else."""

from typing import Any

import torch
from torch import Tensor, nn


class _RecurrentLayers(nn.Module):
    """Recurrent layers, batch first, that give one result."""

    bidirectional: bool

    def __init__(self, input_size: int, hidden_size: int, *, return_sequences: bool = True, **settings: Any) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **settings)
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:
        """The states of all steps; or the last layer's last state, those of both directions side by side."""
        sequence, states = super().forward(x)
        if self.return_sequences:
            return sequence  # type: ignore[no-any-return]
        hidden = states[0] if isinstance(states, tuple) else states
        return torch.cat((hidden[-2], hidden[-1]), -1) if self.bidirectional else hidden[-1]


class LstmLayers(_RecurrentLayers, nn.LSTM):  # type: ignore[misc]  # the sequence or a state alone
    """`nn.LSTM`, batch first; takes what it takes, and `return_sequences`."""


class GruLayers(_RecurrentLayers, nn.GRU):  # type: ignore[misc]
    """`nn.GRU`, likewise."""


class RnnLayers(_RecurrentLayers, nn.RNN):  # type: ignore[misc]
    """`nn.RNN`, likewise."""
