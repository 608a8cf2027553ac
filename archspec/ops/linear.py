"""The fully connected layer."""

from archspec.ops.base import Module, Operations, Operator, Positive, Switch, Tensor, Weight, features


class Linear(Operator, name="linear"):
    """y = xWᵀ + b over the last axis of vectors or sequences; an image is flattened or pooled first.

    >>> Linear(out_features=1000).weights(Tensor((1, 1024)))[0].shape
    (1000, 1024)
    """

    core = True
    overwritable = True
    out_features: Positive
    bias: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """X with its last axis of out_features."""
        return Tensor((*x.shape[:-1], self.out_features))

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """out_features × in_features, and one bias per output feature."""
        weight = Weight("weight", (self.out_features, features(x, self.name)))
        return (weight, Weight("bias", (self.out_features,), "bias")) if self.bias else (weight,)

    def operations(self, x: Tensor) -> Operations:
        """One multiply-accumulate per weight and row."""
        outputs = self.output(x).elements
        return Operations(macs=outputs * features(x, self.name), additions=outputs if self.bias else 0)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Linear`."""
        kwargs = {"in_features": features(x, self.name), "out_features": self.out_features, "bias": self.bias}
        return self.module("torch.nn.Linear", kwargs, 2)
