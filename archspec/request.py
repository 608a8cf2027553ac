"""What a method of an architecture is asked: its keywords, sorted into options, the request to count, and bindings.

Values of symbols come as a mapping, `arch.count({"alpha": "1/2"})`, and any name may be a symbol's; keywords are short
for it, `arch.count(alpha="1/2")`. A keyword that names an option of the method, or a field of the request to count, is
that. Where a symbol has the same name, such a keyword could mean either, and is refused, unless a mapping is there as
well: then the symbols are in the mapping.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeAlias, TypeVar

from archspec.cost import ASKED, USUAL, requested
from archspec.errors import BindingError

P = ParamSpec("P")
R = TypeVar("R")

Bindings: TypeAlias = Mapping[str, Any] | None
"""Values for symbols by name, as a mapping; None where there are none, or where keywords give them."""


def request(method: Callable[P, R]) -> Callable[P, R]:
    """Sort the keywords of a method: it gets `bindings` as one mapping, and `counting`, if it has that, as one value.

    Raises:
        BindingError: A keyword could be an option or a symbol; a symbol is bound twice; bindings are no mapping.
    """
    declared = [each for each in signature(method).parameters.values() if each.kind is not Parameter.VAR_KEYWORD][1:]
    leading = [each.name for each in declared if each.kind is not Parameter.KEYWORD_ONLY]
    options = {each.name for each in declared}
    fields = ASKED if "counting" in options else ()
    name = method.__name__

    @wraps(method)
    def asked(self: Any, /, *args: Any, **keywords: Any) -> Any:
        given = dict(zip(leading, args, strict=False))
        if len(args) > len(leading):
            raise TypeError(f"{name}() takes {len(leading)} values by position, {', '.join(leading)} (got {len(args)})")
        mapping = given.get("bindings", keywords.get("bindings"))
        if mapping is None:
            _refuse_ambiguous(name, self.document.symbols, {*options, *fields}, keywords)
        twice = next((each for each in keywords if each in given), None)
        if twice is not None:
            raise TypeError(f"{name}() got two values for '{twice}'")
        symbols = {each: value for each, value in keywords.items() if each not in options and each not in fields}
        given |= {each: value for each, value in keywords.items() if each in options}
        given["bindings"] = self.in_symbols(_merged(mapping, symbols))
        if fields:
            given["counting"] = requested(
                given.get("counting", USUAL), {each: keywords[each] for each in fields if each in keywords}
            )
        return method(self, **given)

    return asked  # type: ignore[return-value]  # the same parameters, by position or by name


def _refuse_ambiguous(method: str, symbols: Any, options: set[str], keywords: Mapping[str, Any]) -> None:
    for name, value in keywords.items():
        if name in symbols and name in options:
            what = "the number of inputs" if name == "batch" else f"the option of {method}"
            raise BindingError(
                f"'{name}' is a symbol here, too: bind it as {{\"{name}\": {value!r:.40}}}; "
                f"{what} is {method}(bindings={{}}, {name}={value!r:.40})"
            )


def _merged(mapping: Any, symbols: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a mapping and of keywords."""
    if mapping is None:
        return dict(symbols)
    if not isinstance(mapping, Mapping):
        raise BindingError(f'bindings are a mapping, such as {{"alpha": "1/2"}} (got {mapping!r:.40})')
    twice = next((name for name in symbols if name in mapping), None)
    if twice is not None:
        raise BindingError(f"the symbol '{twice}' is bound twice, in the mapping and by a keyword")
    return {**mapping, **symbols}
