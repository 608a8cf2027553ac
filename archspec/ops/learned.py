"""Learned tensors: one that is there whatever flows in, and a table of rows that are looked up."""

from types import MappingProxyType

from archspec.dims import Dim
from archspec.ops.base import FREE, NonNegative, OneModule, Operations, Positive, Real, Sizes, Tensor, Weight


class Parameter(OneModule, name="parameter"):
    """A learned tensor of a shape, the same for each input of the batch: class token, position embedding, layer scale.

    What flows in gives the batch alone. It is a branch of a join: `add: [identity, {parameter: {shape: [197, 768]}}]`
    adds a position embedding, `concat: [{parameter: {shape: [1, 768]}}, identity]` puts a class token in front, `mul:
    [identity, {parameter: {shape: [96, 1, 1], fill: 1e-6}}]` scales a layer. It begins as `fill`, or with a standard
    deviation as random numbers around that.

    >>> Parameter(shape=(197, 768)).output(Tensor((8, 3, 224, 224))).shape
    (8, 197, 768)
    """

    torch_class, leading = "archspec.runtime.modules.LearnedTensor", 1
    view = True
    example = MappingProxyType({"shape": ("c", "h", "w")})
    shape: Sizes
    fill: Real = 0
    std: NonNegative = 0

    def output(self, x: Tensor) -> Tensor:
        """N × shape."""
        return Tensor((x.shape[0], *self.shape))

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """The tensor."""
        return (Weight("weight", self.shape),)

    def operations(self, x: Tensor) -> Operations:
        """None."""
        return FREE


class Embedding(OneModule, name="embedding"):
    """The row of a learned table for each whole number that flows in: words as vectors.

    >>> Embedding(num_embeddings=50257, embedding_dim=768).output(Tensor((1, 1024))).shape
    (1, 1024, 768)
    """

    torch_class, leading = "archspec.runtime.modules.TokenEmbedding", 2
    letters = ("n t",)
    num_embeddings: Positive
    embedding_dim: Positive

    @property
    def below(self) -> Dim:
        """The rows that there are."""
        return self.num_embeddings

    def output(self, x: Tensor) -> Tensor:
        """The shape of the numbers, and embedding_dim."""
        return Tensor((*x.shape, self.embedding_dim))

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """num_embeddings × embedding_dim."""
        return (Weight("weight", (self.num_embeddings, self.embedding_dim)),)

    def operations(self, x: Tensor) -> Operations:
        """None: rows are read."""
        return FREE
