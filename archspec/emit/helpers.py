"""The small functions and classes that come with a source which uses them."""

import ast
from collections.abc import Mapping
from importlib import resources

HELPERS: Mapping[str, str] = {
    "Chain": '''
class Chain(nn.Sequential):
    """Modules that follow one another; a slice of them is an `nn.Sequential`."""

    def __getitem__(self, idx: slice | int) -> Any:
        if isinstance(idx, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)
''',
    "ceil_div": '''
def ceil_div(a: {number}, b: {number}) -> int:
    """a / b, rounded up."""
    return int(-(-a // b))
''',
    "exact_div": '''
def exact_div(a: {number}, b: {number}) -> int:
    """a / b, which must be whole."""
    quotient, rest = divmod(a, b)
    if rest:
        raise ValueError(f"{a} is not divisible by {b}")
    return int(quotient)
''',
    "floor_log2": '''
def floor_log2(x: {number}) -> int:
    """The logarithm to base 2 of a number from 1, rounded down."""
    if x < 1:
        raise ValueError(f"{x} is less than 1")
    return int(x).bit_length() - 1
''',
    "floor_sqrt": '''
def floor_sqrt(x: {number}) -> int:
    """The square root, rounded down."""
    return math.isqrt(int(x))
''',
    "log2": '''
def log2(x: int) -> int:
    """The logarithm of a power of two."""
    if x < 1 or x & (x - 1):
        raise ValueError(f"{x} is not a power of two")
    return x.bit_length() - 1
''',
    "make_divisible": '''
def make_divisible(x: {number}, divisor: int = 8, minimum: int | None = None) -> int:
    """x to the nearest multiple of the divisor, at least the minimum, and not less than 9/10 of x."""
    nearest = (2 * x + divisor) // (2 * divisor) * divisor
    rounded = max(divisor if minimum is None else minimum, nearest)
    return rounded + divisor if 10 * rounded < 9 * x else rounded
''',
    "pair": '''
def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """A size that is given once or twice, as height and width."""
    return size if isinstance(size, tuple) else (size, size)
''',
    "round_half_up": '''
def round_half_up(x: {number}) -> int:
    """The nearest whole number; halves go up."""
    return (2 * x + 1) // 2
''',
    "whole": '''
def whole(x: {number}) -> int:
    """x, which must be a whole number."""
    if x % 1:
        raise ValueError(f"{x} is not a whole number")
    return int(x)
''',
}

RESERVED = frozenset({*HELPERS, "ceil", "floor"})
"""The names of functions that a source may have."""

INLINED: Mapping[str, str] = {
    "BinaryConv2d": "runtime/binary.py",
    "BinaryLinear": "runtime/binary.py",
    "Dequantiser": "runtime/modules.py",
    "DotProductAttention": "runtime/modules.py",
    "DropPath": "runtime/modules.py",
    "GruLayers": "runtime/modules.py",
    "LayerNorm2d": "runtime/modules.py",
    "LearnedTensor": "runtime/modules.py",
    "LstmLayers": "runtime/modules.py",
    "Quantiser": "runtime/modules.py",
    "RnnLayers": "runtime/modules.py",
    "RotaryEmbedding": "runtime/modules.py",
    "TokenEmbedding": "runtime/modules.py",
    "WindowBias": "runtime/modules.py",
    **{f"TfSame{kind}Pool{axes}d": "runtime/modules.py" for kind in ("Avg", "Max") for axes in (1, 2, 3)},
    "truncated_normal_": "runtime/build.py",
}
"""What of ours comes with a source that uses it, and the file it stands in."""


def helper(name: str, rational: bool) -> str:
    """The text of a helper, for whole numbers or for rational ones too."""
    return HELPERS[name].replace("{number}", "int | Fraction" if rational else "int").strip("\n")


def inlined_sources(names: set[str]) -> list[str]:
    """The texts of classes and functions of ours, and of all that they use in their files, which are read, not run."""
    files = dict.fromkeys(file for name, file in INLINED.items() if name in names)
    return [text for file in files for text in _taken(file, {name for name in names if INLINED.get(name) == file})]


def _taken(file: str, names: set[str]) -> list[str]:
    text = resources.files("archspec").joinpath(file).read_text(encoding="utf-8")
    definitions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    wanted: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in definitions and name not in wanted:
            wanted.add(name)
            left += [node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)]
    return [ast.get_source_segment(text, node) or "" for name, node in definitions.items() if name in wanted]
