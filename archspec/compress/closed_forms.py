"""The closed forms of compression by name: letters, source, and the rule that is run on numbers and on symbols.

What is printed is what the rule makes of symbols; nothing is typed in beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from archspec import dims
from archspec.compress import huffman, rules
from archspec.dims import Dim
from archspec.errors import BindingError, did_you_mean, entry

if TYPE_CHECKING:
    from archspec.formula.closed_form import Formula

_HAN = "Han, Pool, Tran and Dally 2015, arXiv:1506.02626"
_DEEP = "Han, Mao and Dally 2016, arXiv:1510.00149"
_XNOR = "Rastegari et al. 2016, arXiv:1603.05279"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a closed form.

    Attributes:
        meaning: What it stands for.
        integer: Whether only whole numbers do; else shares and averages do too.
    """

    meaning: str
    integer: bool = True


@dataclass(frozen=True)
class ClosedForm:
    """A closed form.

    Attributes:
        name: What it is called.
        rule: The function that computes it, of its letters in order.
        letters: Its letters, in the order in which the rule takes them.
        source: Where it was published.
        example: Values for the letters that a paper gives.
    """

    name: str
    rule: Callable[..., Dim]
    letters: Mapping[str, Letter]
    source: str
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def doc(self) -> str:
        """What it is, in one sentence."""
        return (self.rule.__doc__ or "").partition("\n")[0]

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Dim:
        """Its value: exact; over symbols where a letter is given one.

        Raises:
            BindingError: A letter has no value, or there is none of that name.

        >>> float(closed_form("weight_sharing")(n=16, k=4, b=32))
        3.2
        """
        values = {**(values or {}), **named}
        for letter in values:
            if letter not in self.letters:
                known = did_you_mean(letter, self.letters) or f"; its letters are {', '.join(self.letters)}"
                raise BindingError(f"{self.name} has no letter '{letter}'{known}")
        missing = [letter for letter in self.letters if letter not in values]
        if missing:
            raise BindingError(f"{self.name} needs a value for {', '.join(missing)}")
        return self.rule(*(self._read(letter, values[letter]) for letter in self.letters))

    def _read(self, letter: str, value: Any) -> Dim:
        number = value if dims.is_symbolic(value) or dims.has_rules(value) else dims.exact(value)
        if self.letters[letter].integer and dims.is_number(number) and type(number) is not int:
            raise BindingError(f"{letter} is {self.letters[letter].meaning}, a whole number (got {value})")
        return number

    def expression(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The SymPy expression that the rule gives, letters without a value left as symbols; fractions are cleared.

        >>> print(closed_form("weight_sharing").expression())
        b*n/(b*k + n*log₂(k))
        """
        from archspec import symbols

        free = {name: symbols.symbol(name, letter.integer) for name, letter in self.letters.items()}
        raw = self({**free, **(values or {}), **named})
        if not dims.is_symbolic(raw):
            return raw
        cleared = symbols.cleared(raw)
        over, under = cleared.as_numer_denom()
        return min((raw, cleared, -over / -under), key=_complexity)

    def formula(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> "Formula":
        """The same with all that a formula can: text, LaTeX, and functions of Python, NumPy and JavaScript.

        >>> print(closed_form("xnor_speedup").formula())
        64·c·N_W/(c·N_W + 64)
        """
        from archspec.formula.closed_form import Formula
        from archspec.symbols import symbol, to_sympy

        values = {**(values or {}), **named}
        free = {name: letter for name, letter in self.letters.items() if name not in values}
        return Formula(
            of="compression",
            quantity=self.name,
            terms=(to_sympy(self.expression(values)),),
            symbols=tuple(symbol(name, letter.integer) for name, letter in free.items()),
            arrangement="sum",
            fixed=values,
        )


def _complexity(form: Any) -> tuple[bool, int]:
    """How hard an expression is to read: a fraction in a fraction, or a sign before it, is worse than length."""
    text = str(form)
    nested = any(part.is_Rational and not part.is_Integer for part in form.atoms())
    return nested or text.startswith("-"), len(text)


def _form(
    rule: Callable[..., Dim], source: str, example: Mapping[str, Any] | None = None, **letters: Any
) -> ClosedForm:
    spelt = {name: letter if isinstance(letter, Letter) else Letter(letter) for name, letter in letters.items()}
    return ClosedForm(rule.__name__, rule, MappingProxyType(spelt), source, MappingProxyType(dict(example or {})))


_DENSITY = Letter("density: the share of weights that is kept", integer=False)
_ENTROPY = Letter("entropy of a symbol, in bits", integer=False)

_FORMS = (
    _form(rules.kept_weights, _HAN, n="weights", p=_DENSITY),
    _form(
        rules.pruned_flops,
        f"{_HAN}, Tables 2 to 5: FLOP%",
        p=_DENSITY,
        a=Letter("share of the inputs that is not zero", integer=False),
    ),
    _form(
        rules.dropout_after_pruning,
        f"{_HAN}, section 3.2, equation 2",
        D_o=Letter("dropout of the original training", integer=False),
        C_ir="connections of layer i when it is trained again",
        C_io="connections of layer i in the original network",
    ),
    _form(rules.compressed_rows, f"{_DEEP}, section 2", a="non-zero elements", n="rows, or columns"),
    _form(rules.fillers, f"{_DEEP}, section 2, Figure 2, for independent positions", p=_DENSITY, i="bits of a gap"),
    _form(rules.stored_share, f"{_DEEP}, section 2, for independent positions", p=_DENSITY, i="bits of a gap"),
    _form(
        rules.fillers_between,
        f"{_DEEP}, Figure 2",
        {"gap": 11, "i": 3},
        gap="distance to the weight before",
        i="bits of a gap",
    ),
    _form(
        rules.weight_sharing,
        f"{_DEEP}, section 3, equation 1, Figure 3",
        {"n": 16, "k": 4, "b": 32},
        n="weights",
        k="shared numbers",
        b="bits of a number",
    ),
    _form(rules.codebook_bits, f"{_DEEP}, section 3", k="shared numbers", b="bits of a number"),
    _form(
        rules.layer_bits,
        f"{_DEEP}, Tables 2 to 5",
        e=Letter("entries: kept weights, and fillers", integer=False),
        w=Letter("bits of a weight's code", integer=False),
        i=Letter("bits of a gap", integer=False),
        s=Letter("shared numbers", integer=False),
        b="bits of a number",
        c="biases",
    ),
    _form(huffman.huffman_at_least, "Shannon 1948", n="symbols", H=_ENTROPY),
    _form(huffman.huffman_below, "Huffman 1952", n="symbols", H=_ENTROPY),
    _form(rules.low_rank_weights, "Denton et al. 2014, arXiv:1404.0736", m="rows", n="columns", r="rank"),
    _form(rules.low_rank_rate, "Denton et al. 2014, arXiv:1404.0736", m="rows", n="columns", r="rank"),
    _form(rules.break_even_rank, "Denton et al. 2014, arXiv:1404.0736", m="rows", n="columns"),
    _form(
        rules.binary_memory,
        f"{_XNOR}, section 4.1",
        {"n": 256 * 9 * 256, "f": 256, "b": 32},
        n="weights",
        f="filters",
        b="bits of a number",
    ),
    _form(
        rules.xnor_speedup,
        f"{_XNOR}, section 4.1",
        {"c": 256, "N_W": 9},
        c="input channels",
        N_W="elements of the kernel: height times width",
    ),
)

CLOSED_FORMS: Mapping[str, ClosedForm] = MappingProxyType({form.name: form for form in _FORMS})
"""Every closed form by its name."""


def closed_form(name: str) -> ClosedForm:
    """The closed form of a name.

    Raises:
        UnknownNameError: There is none.
    """
    return entry(CLOSED_FORMS, name, "closed form")
