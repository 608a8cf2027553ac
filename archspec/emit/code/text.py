"""Code as text on one line, with the parentheses that it needs and no others."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from archspec.emit.code.value import Code
from archspec.writing import python_string

IF, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(10)
"""How tightly the parts of an expression hold together."""


def written(value: Any, tightness: int = IF) -> str:
    """The text of a value, in parentheses where what stands around it holds tighter.

    >>> from archspec.emit.code.value import name
    >>> s, h = name("s"), name("h")
    >>> written((h + 1) * s), written(s * s - 2 * h)
    ('(h + 1) * s', 's**2 - 2 * h')
    """
    text, own = _text(value)
    return f"({text})" if own < tightness else text


def _text(value: Any) -> tuple[str, int]:
    if isinstance(value, Code):
        return _WRITERS[value.head](*value.parts)
    if isinstance(value, str):
        return python_string(value), ATOM
    if isinstance(value, Fraction):
        return f"Fraction({value.numerator}, {value.denominator})", ATOM
    if isinstance(value, tuple):
        inner = ", ".join(map(written, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})", ATOM
    return repr(value), SIGN if isinstance(value, (int, float)) and value < 0 else ATOM


def _sum(*terms: tuple[Any, Any]) -> tuple[str, int]:
    first = next((i for i, (factor, _) in enumerate(terms) if factor > 0), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    factor, term = ordered[0]
    text, own = _term(abs(factor), term)
    if factor < 0:
        rounds = factor == -1 and isinstance(term, Code) and term.head in {"//", "%"}  # -(a // b) is not -a // b
        text, own = (f"-({text})", SIGN) if rounds else (f"-{text}", SIGN if own > PRODUCT else PRODUCT)
    for factor, term in ordered[1:]:
        text += f" {'-' if factor < 0 else '+'} {_term(abs(factor), term)[0]}"
    return text, SUM if len(ordered) > 1 else own


def _term(factor: Any, term: Any) -> tuple[str, int]:
    if term is None:
        return written(factor), ATOM
    if factor == 1:
        text, own = _text(term)
        return (text, own) if own >= PRODUCT else (f"({text})", ATOM)
    return _product(factor, *(term.parts if term.head == "*" else (term,)))


def _product(*factors: Any) -> tuple[str, int]:
    powers: dict[Any, int] = {}
    for factor in factors:
        powers[factor] = powers.get(factor, 0) + 1
    texts = [written(f, SIGN) if n == 1 else _power(f, n)[0] for f, n in powers.items()]
    return " * ".join(texts), PRODUCT if len(texts) > 1 else POWER


def _plus(first: Any, *others: Any) -> tuple[str, int]:
    text = written(first, PRODUCT)
    for term in others:
        less = not isinstance(term, Code) and term < 0
        text += f" - {written(-term, PRODUCT)}" if less else f" + {written(term, PRODUCT)}"
    return text, SUM


def _divided(sign: str) -> Callable[..., tuple[str, int]]:
    return lambda a, b: (f"{written(a, PRODUCT)} {sign} {written(b, SIGN)}", PRODUCT)


def _power(a: Any, b: Any) -> tuple[str, int]:
    left, right = written(a, ATOM), written(b, SIGN)
    simple = all(not isinstance(x, Code) or x.head in {"name", "attr"} for x in (a, b))
    return f"{left}**{right}" if simple else f"{left} ** {right}", POWER


def _compared(*parts: Any) -> tuple[str, int]:
    texts = [part if i % 2 else written(part, SUM) for i, part in enumerate(parts)]
    return " ".join(texts), COMPARE


def _joined(word: str, own: int) -> Callable[..., tuple[str, int]]:
    return lambda *parts: (f" {word} ".join(written(part, COMPARE if own == OR else own + 1) for part in parts), own)


def _called(function: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> tuple[str, int]:
    return f"{function}({', '.join([*map(written, args), *(f'{key}={written(v)}' for key, v in kwargs)])})", ATOM


def _formatted(*pieces: Any) -> tuple[str, int]:
    return 'f"' + "".join(p if isinstance(p, str) else f"{{{written(p)}}}" for p in pieces) + '"', ATOM


_WRITERS: Mapping[str, Callable[..., tuple[str, int]]] = {
    "name": lambda text: (text, ATOM),
    "text": lambda text: (text, ATOM),
    "attr": lambda owner, attribute: (f"{written(owner, ATOM)}.{attribute}", ATOM),
    "out": lambda owner, attribute, *_: (f"{written(owner, ATOM)}.{attribute}", ATOM),
    "index": lambda code, key: (f"{written(code, ATOM)}[{written(key)}]", ATOM),
    "format": _formatted,
    "several": lambda *items: (", ".join(map(written, items)), IF),
    "list": lambda *items: (f"[{', '.join(map(written, items))}]", ATOM),
    "sum": _sum,
    "*": _product,
    "/": lambda a, b: (f"Fraction({written(a)}, {written(b)})", ATOM),
    "//": _divided("//"),
    "%": _divided("%"),
    "**": _power,
    "compare": _compared,
    "and": _joined("and", AND),
    "or": _joined("or", OR),
    "not": lambda part: (f"not {written(part, NOT)}", COMPARE),
    "if": lambda condition, a, b: (f"{written(a, OR)} if {written(condition, OR)} else {written(b)}", IF),
    "call": _called,
    "plus": _plus,
    "times": lambda *factors: (" * ".join(written(factor, SIGN) for factor in factors), PRODUCT),
}
