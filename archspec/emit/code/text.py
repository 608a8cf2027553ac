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


def pieces(value: Any) -> list[str]:
    """The text of a value in pieces, each with the operator before it: a line can be broken between them.

    >>> from archspec.emit.code.value import both, compare, name
    >>> pieces(both(compare(name("h"), "<", 2), name("a")))
    ['h < 2', 'and a']
    """
    return _parts(value)[0]


def _text(value: Any) -> tuple[str, int]:
    texts, own = _parts(value)
    return " ".join(texts), own


def _parts(value: Any) -> tuple[list[str], int]:
    if isinstance(value, Code):
        made, own = _WRITERS[value.head](*value.parts)
        return ([made] if isinstance(made, str) else made), own
    if isinstance(value, str):
        return [python_string(value)], ATOM
    if isinstance(value, Fraction):
        return [f"Fraction({value.numerator}, {value.denominator})"], ATOM
    if isinstance(value, tuple):
        inner = ", ".join(map(written, value))
        return [f"({inner},)" if len(value) == 1 else f"({inner})"], ATOM
    return [repr(value)], SIGN if isinstance(value, (int, float)) and value < 0 else ATOM


def _sum(*terms: tuple[Any, Any]) -> tuple[list[str], int]:
    first = next((i for i, (factor, _) in enumerate(terms) if factor > 0), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    factor, term = ordered[0]
    text, own = _term(abs(factor), term)
    if factor < 0:
        rounds = factor == -1 and isinstance(term, Code) and term.head in {"//", "%"}  # -(a // b) is not -a // b
        text, own = (f"-({text})", SIGN) if rounds else (f"-{text}", SIGN if own > PRODUCT else PRODUCT)
    others = [f"{'-' if factor < 0 else '+'} {_term(abs(factor), term)[0]}" for factor, term in ordered[1:]]
    return [text, *others], SUM if others else own


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


def _plus(first: Any, *others: Any) -> tuple[list[str], int]:
    signed = [("-", -term) if not isinstance(term, Code) and term < 0 else ("+", term) for term in others]
    return [written(first, PRODUCT), *(f"{sign} {written(term, PRODUCT)}" for sign, term in signed)], SUM


def _divided(sign: str) -> Callable[..., tuple[str, int]]:
    return lambda a, b: (f"{written(a, PRODUCT)} {sign} {written(b, SIGN)}", PRODUCT)


def _power(a: Any, b: Any) -> tuple[str, int]:
    left, right = written(a, ATOM), written(b, SIGN)
    simple = all(not isinstance(x, Code) or x.head in {"name", "attr"} for x in (a, b))
    return f"{left}**{right}" if simple else f"{left} ** {right}", POWER


def _compared(first: Any, *others: Any) -> tuple[list[str], int]:
    pairs = zip(others[::2], others[1::2], strict=True)
    return [written(first, SUM), *(f"{sign} {written(part, SUM)}" for sign, part in pairs)], COMPARE


def _joined(word: str, own: int, inner: int) -> Callable[..., tuple[list[str], int]]:
    return lambda first, *others: ([written(first, inner), *(f"{word} {written(part, inner)}" for part in others)], own)


def _chosen(condition: Any, a: Any, b: Any) -> tuple[list[str], int]:
    first, *others = pieces(b) if isinstance(b, Code) and b.head == "if" else [written(b)]
    return [written(a, OR), f"if {written(condition, OR)}", f"else {first}", *others], IF


def _called(function: Any, args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]) -> tuple[str, int]:
    return f"{function}({', '.join([*map(written, args), *(f'{key}={written(v)}' for key, v in kwargs)])})", ATOM


def _formatted(*pieces: Any) -> tuple[str, int]:
    return 'f"' + "".join(p if isinstance(p, str) else f"{{{written(p)}}}" for p in pieces) + '"', ATOM


_WRITERS: Mapping[str, Callable[..., tuple[str | list[str], int]]] = {
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
    "and": _joined("and", AND, NOT),
    "or": _joined("or", OR, COMPARE),
    "not": lambda part: (f"not {written(part, NOT)}", COMPARE),
    "if": _chosen,
    "call": _called,
    "plus": _plus,
    "times": lambda *factors: (" * ".join(written(factor, SIGN) for factor in factors), PRODUCT),
}
