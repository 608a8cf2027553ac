"""Where the windows of a convolution lie, and which of their taps are padded.

A bit cannot say 0. So padded taps are +1 first, and the weights on them are taken off afterwards: zero-padded =
(+1-padded) − Σ weights on padded taps. That sum is one number for a filter and each case of a border: the windows that
have the same taps in the padding.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from archspec.kernels.by_numpy import Array


@dataclass(frozen=True, slots=True)
class Window:
    """How a kernel slides, each pair along the height and along the width.

    Attributes:
        kernel: Its taps.
        stride: How far it goes.
        before: The padding at the top and the left.
        after: The padding at the bottom and the right.
        dilation: How far its taps are apart.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    dilation: tuple[int, int]

    @classmethod
    def of(cls, layer: Any) -> "Window":
        """That of a `BinaryConv2d`.

        >>> from archspec.runtime.binary import BinaryConv2d
        >>> Window.of(BinaryConv2d(8, 8, (3, 2), padding="same")).after
        (1, 1)
        """
        kernel, dilation = layer.kernel_size, layer.dilation
        left, right, top, bottom = layer.sides
        if layer.padding == "same":  # torch puts what is odd behind
            spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
            (y, x), (down, across) = [span // 2 for span in spans], [span - span // 2 for span in spans]
        else:
            y, x = down, across = (0, 0) if layer.padding == "valid" else layer.padding
        return cls(kernel, layer.stride, (y + top, x + left), (down + bottom, across + right), dilation)

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the result.

        >>> Window((3, 3), (2, 2), (1, 1), (1, 1), (1, 1)).size(14, 13)
        (7, 7)
        """
        y, x = (
            (length + before + after - dilation * (kernel - 1) - 1) // stride + 1
            for length, before, after, dilation, kernel, stride in zip(
                (height, width), self.before, self.after, self.dilation, self.kernel, self.stride, strict=True
            )
        )
        return y, x

    def padded(self, height: int, width: int) -> tuple[Array, Array]:
        """Of each row of the result, and of each column, which of the kernel's rows or columns lie in the padding.

        >>> Window((3, 1), (1, 1), (1, 0), (1, 0), (1, 1)).padded(3, 1)[0].tolist()
        [[True, False, False], [False, False, False], [False, False, True]]
        """
        found = []
        for axis, (length, out) in enumerate(zip((height, width), self.size(height, width), strict=True)):
            begins = np.arange(out)[:, None] * self.stride[axis] - self.before[axis]
            taps = begins + np.arange(self.kernel[axis]) * self.dilation[axis]
            found.append((taps < 0) | (taps >= length))
        rows, columns = found
        return rows, columns

    def border(self, height: int, width: int) -> tuple[Array, Array, Array]:
        """The pixels whose windows have padded taps, in order; the case of each; and of each case its padded taps.

        >>> pixels, cases, taps = Window((3, 1), (1, 1), (1, 0), (1, 0), (1, 1)).border(4, 1)
        >>> pixels.tolist(), cases.tolist(), taps.astype(int).tolist()
        ([0, 3], [1, 0], [[0, 0, 1], [1, 0, 0]])
        """
        rows, columns = self.padded(height, width)
        row_cases, row_of = np.unique(rows, axis=0, return_inverse=True)
        column_cases, column_of = np.unique(columns, axis=0, return_inverse=True)
        taps = (row_cases[:, None, :, None] | column_cases[None, :, None, :]).reshape(
            -1, self.kernel[0] * self.kernel[1]
        )
        case = (row_of.reshape(-1, 1) * len(column_cases) + column_of.reshape(1, -1)).ravel()
        outside = taps.any(1)
        pixels = np.flatnonzero(outside[case])
        number = np.cumsum(outside) - 1
        return pixels.astype(np.int32), number[case[pixels]].astype(np.int32), taps[outside]
