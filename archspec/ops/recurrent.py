"""Recurrent layers, over sequences of tokens × features, batch first.

A step of a layer with g gates has two products, of what flows in and of the state before it: g·h·(i + h)
multiply-accumulates for an input of i and a state of h; L steps have L times as many. Weights and biases are torch's:
two biases per gate, where Keras' layers have one (an LSTM) or, `reset_after`, two (a GRU).
"""

from types import MappingProxyType
from typing import Any, ClassVar, Literal

from archspec.dims import Dim, known_less
from archspec.errors import ShapeError
from archspec.ops.base import Module, Operations, Operator, Positive, Probability, Switch, Tensor, Weight

MOST_LAYERS = 100
"""The most layers of one operator."""


class _Recurrent(Operator):
    """What recurrent layers share; `gates` of them, and `one` is the arithmetic of one element of a state."""

    letters = ("n t f_in",)
    sees_all = True  # the state has seen what came before, and the other direction the rest
    example = MappingProxyType({"num_layers": 1})
    gates: ClassVar[int]
    one: ClassVar[Operations]
    hidden_size: Positive
    num_layers: Positive = 1
    bias: Switch = True
    bidirectional: Switch = False
    dropout: Probability = 0
    return_sequences: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """N × L × h, or the last state alone: n × h; twice h of both directions."""
        if len(x.shape) != 3:
            raise ShapeError(f"{self.name} takes a sequence (tokens × features), found {x}{_cure(x)}")
        n, length, _ = x.shape
        width = self._directions * self._state()
        return Tensor((n, length, width) if self.return_sequences else (n, width))

    def _state(self) -> Dim:
        """The size of a state, as the next step and the next layer read it."""
        return self.hidden_size

    @property
    def _directions(self) -> int:
        return 1 + int(self.bidirectional)

    def _layers(self) -> int:
        if type(self.num_layers) is not int or self.num_layers > MOST_LAYERS:
            words = f"a number up to {MOST_LAYERS}, whose layers are counted one by one (got {self.num_layers})"
            raise ShapeError(f"{self.name}: num_layers must be {words}", "num_layers")
        return self.num_layers

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """Of each layer and direction g·h × i of the input, g·h × h of the state, and two biases of g·h."""
        h, state, arrays = self.hidden_size, self._state(), []
        for layer in range(self._layers()):
            width = x.shape[-1] if layer == 0 else self._directions * state
            for direction in ("", "_reverse")[: self._directions]:
                end = f"l{layer}{direction}"
                arrays += [
                    Weight(f"weight_ih_{end}", (self.gates * h, width)),
                    Weight(f"weight_hh_{end}", (self.gates * h, state)),
                ]
                biases = (f"bias_ih_{end}", f"bias_hh_{end}") if self.bias else ()
                arrays += [Weight(name, (self.gates * h,), "bias") for name in biases]
                arrays += [Weight(f"weight_{name}_{end}", shape) for name, shape in self._projections()]
        return tuple(arrays)

    def _projections(self) -> tuple[tuple[str, tuple[Dim, ...]], ...]:
        """The matrices, and their shapes, that make a state smaller."""
        return ()

    def operations(self, x: Tensor) -> Operations:
        """L steps of g·h·(i + h) products, the sums of both and the biases, and the gates' own arithmetic."""
        n, length, width = x.shape
        state, done = self._state(), Operations()
        states = n * length * self.hidden_size * self._directions
        for layer in range(self._layers()):
            reads = width if layer == 0 else self._directions * state
            sums = states * self.gates * (1 + 2 * int(self.bias))
            macs = states * (self.gates * (reads + state) + sum(size for _, (size, _) in self._projections()))
            done += Operations(macs=macs, additions=sums) + self.one.times(states)
        return done

    def torch_call(self, x: Tensor) -> Module:
        """The module of torch, of whose results the sequence, or the last state, goes on."""
        fields = ("hidden_size", "num_layers", "bias", "dropout", "bidirectional", "return_sequences")
        kwargs = {"input_size": x.shape[-1], **{field: getattr(self, field) for field in fields}, **self._more()}
        return self.module(f"archspec.runtime.modules.{type(self).__name__}Layers", kwargs, 2)

    def _more(self) -> dict[str, Any]:
        return {}


class Lstm(_Recurrent, name="lstm"):
    """Long short-term memory over a sequence (Hochreiter and Schmidhuber 1997; gates as in Graves 2013).

    arXiv:1308.0850, equations 7 to 11, without peepholes. With `proj_size` p, less than h, a state of h is made one of
    p by a matrix before the next step and the next layer read it (Sak et al. 2014, arXiv:1402.1128, section 2.1).

    >>> Lstm(hidden_size=6).operations(Tensor((3, 5, 8))).macs == 3 * 5 * 4 * 6 * (8 + 6)
    True
    """

    gates = 4
    example = MappingProxyType({"num_layers": 1, "proj_size": None})
    torch_defaults = MappingProxyType({"proj_size": 0})
    # three sigmoids, two tanh; c = f·c + i·g, h = o·tanh(c)
    one = Operations(transcendentals=3 + 2, additions=3 + 1, divisions=3, multiplications=3)
    proj_size: Positive | None = None

    def output(self, x: Tensor) -> Tensor:
        """N × L × h, or n × h; with a projection p in place of h, twice of both directions."""
        if self.proj_size is not None and known_less(self.hidden_size - 1, self.proj_size):
            said = f"{self.name}: proj_size {self.proj_size} must be less than hidden_size {self.hidden_size}"
            raise ShapeError(said, "proj_size")
        return super().output(x)

    def _state(self) -> Dim:
        return self.hidden_size if self.proj_size is None else self.proj_size

    def _projections(self) -> tuple[tuple[str, tuple[Dim, ...]], ...]:
        return () if self.proj_size is None else (("hr", (self.proj_size, self.hidden_size)),)

    def _more(self) -> dict[str, Any]:
        return {} if self.proj_size is None else {"proj_size": self.proj_size}


class Gru(_Recurrent, name="gru"):
    """A gated recurrent unit over a sequence (Cho et al. 2014, arXiv:1406.1078), with the reset after the product.

    As torch and cuDNN have it: n = tanh(Wx + b + r·(Uh + b′)).
    """

    gates = 3
    # two sigmoids, a tanh; r·(…), h = (1 − z)·n + z·h
    one = Operations(transcendentals=2 + 1, additions=2 + 1 + 1, divisions=2, multiplications=1 + 2)


class Rnn(_Recurrent, name="rnn"):
    """A plain recurrent layer over a sequence: h = tanh(Wx + Uh + b), or with relu (Elman 1990)."""

    gates = 1
    one = Operations(transcendentals=1)
    nonlinearity: Literal["tanh", "relu"] = "tanh"

    def operations(self, x: Tensor) -> Operations:
        """The same; with relu a comparison in place of tanh."""
        done = super().operations(x)
        if self.nonlinearity == "tanh":
            return done
        return Operations(macs=done.macs, additions=done.additions, comparisons=done.transcendentals)

    def _more(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


def _cure(x: Tensor) -> str:
    return "; flatten: {start_dim: 2} and transpose make a sequence of an image's pixels" if len(x.shape) == 4 else ""
