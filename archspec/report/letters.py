"""Sentences with symbols in them: in LaTeX, the letters of the paper."""

from archspec.dims import is_number
from archspec.graph import Network
from archspec.language.alphabet import latex_letter
from archspec.report import numbers
from archspec.report.page import LetteredSentence
from archspec.writing import latex_text


def bound(before: str, network: Network) -> LetteredSentence:
    """A sentence, and behind it the values of a network's symbols, with their letters where they are set."""
    if not network.bindings:
        return LetteredSentence(before, latex_text(before))
    declared = network.document.symbols if network.document else {}
    parts = []
    for name, value in network.bindings.items():
        letter = latex_letter(name, declared[name].latex if name in declared else None)
        words = str(value) if is_number(value) else rf"\text{{{latex_text(str(value))}}}"
        parts.append(f"${letter} = {words}$")
    return LetteredSentence(
        f"{before}; {numbers.bindings(network.bindings)}", f"{latex_text(before)}; {', '.join(parts)}"
    )
