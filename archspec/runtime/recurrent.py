"""Recurrent layers that give the sequence, or the last state, and nothing else."""

import torch
from torch import Tensor, nn


def last_state(states: Tensor, bidirectional: bool) -> Tensor:
    """The last layer's last state, those of both directions side by side."""
    return torch.cat((states[-2], states[-1]), -1) if bidirectional else states[-1]


class LstmLayers(nn.LSTM):
    """`nn.LSTM`, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        return_sequences: bool = True,
        proj_size: int = 0,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
            proj_size=proj_size,
        )
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the sequence or a state alone
        """The states of all steps, or the last."""
        sequence, (states, _) = super().forward(x)
        return sequence if self.return_sequences else last_state(states, self.bidirectional)


class GruLayers(nn.GRU):
    """`nn.GRU`, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        return_sequences: bool = True,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias=bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the sequence or a state alone
        """The states of all steps, or the last."""
        sequence, states = super().forward(x)
        return sequence if self.return_sequences else last_state(states, self.bidirectional)


class RnnLayers(nn.RNN):
    """`nn.RNN`, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        nonlinearity: str = "tanh",
        return_sequences: bool = True,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            nonlinearity=nonlinearity,
            bias=bias,
            batch_first=True,
            dropout=dropout,
            bidirectional=bidirectional,
        )
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the sequence or a state alone
        """The states of all steps, or the last."""
        sequence, states = super().forward(x)
        return sequence if self.return_sequences else last_state(states, self.bidirectional)
