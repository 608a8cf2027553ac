"""What a text of a specification may hold: each kind of field has an alphabet, checked when it is read.

A line holds characters that can be seen; a doc may have several lines. What a formula calls a symbol is a word, or
LaTeX of known commands. Whatever passes here is still written by `writing`.
"""

import re

from archspec.writing import GREEK, first_unseen, latex_text, latex_upright

COMMANDS = {*GREEK, "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "varepsilon"}
COMMANDS |= {"vartheta", "varphi", "varrho", "ell", "infty", "times", "cdot", "prime", "ast", "star", "circ", "pm"}
"""Commands of LaTeX's math mode that take nothing."""

WRAPPERS = {"mathrm", "mathbf", "mathit", "mathsf", "mathcal", "text", "operatorname", "hat", "bar", "tilde", "vec"}
"""Commands that take what stands in braces behind them."""

MOST = 80
"""The characters of a letter."""

_WORD = re.compile(r"[^\W\d_][\w'′″]*\Z")
_COMMAND = re.compile(r"\\([A-Za-z]+)(\0?)")
_PART = r"(?:[^\W_]|[ ′″=,.()+/\0-])"
_PARTS = rf"(?:{_PART}'*(?:_{_PART})?(?:\^{_PART})?)*"
_GROUP, _WHOLE = re.compile(rf"\{{{_PARTS}\}}"), re.compile(rf"{_PARTS}\Z")


def line_fault(text: str) -> str | None:
    r"""What is wrong with a text of one line; None if nothing is.

    >>> line_fault("naïve 網"), line_fault("two" + chr(10) + "lines")
    (None, 'a line end; it stands on one line')
    """
    found = first_unseen(text)
    if found in {"\n", "\r"}:
        return "a line end; it stands on one line"
    return None if found is None else _named(found)


def prose_fault(text: str) -> str | None:
    """What is wrong with a text that may have several lines; None if nothing is."""
    found = first_unseen(text, but="\n")
    return None if found is None else _named(found)


def _named(character: str) -> str:
    return f"the character U+{ord(character):04X}, which cannot be seen; leave it out"


def letter_fault(text: str) -> str | None:
    r"""What is wrong with what a formula is to call a symbol; None if nothing is.

    >>> [letter_fault(text) for text in (r"\alpha", "D_K", r"pct_{3 \times 3}", "d″", r"\hat{x}_{\mathrm{max}}")]
    [None, None, None, None, None]
    >>> [bool(letter_fault(text)) for text in (r"\input{x}", "x}", r"\alpha_", "x$", "%", "x" + chr(10) + "y", "")]
    [True, True, True, True, True, True, True]
    """
    if len(text) > MOST:
        return f"{len(text)} characters; at most {MOST} are allowed"
    fault = line_fault(text)
    if fault is not None or _WORD.match(text):
        return fault
    before, reduced = "", text
    while before != reduced:
        before, reduced = reduced, _GROUP.sub("\0", _COMMAND.sub(_plain, reduced))
    if text.strip() and _WHOLE.match(reduced):
        return None
    return r"what is no word and no simple LaTeX; write letters, digits, _, ^, { } and commands such as \alpha"


def _plain(command: re.Match[str]) -> str:
    """A digit in place of a known command, with the group that it takes; others stay, and are no part of a letter."""
    name, group = command.groups()
    return f"1{group}" if name in COMMANDS else "1" if name in WRAPPERS and group else command[0]


def latex_letter(name: str, declared: str | None = None) -> str:
    r"""A symbol in LaTeX's math mode: as declared, else a Greek letter, a letter with its index, the name upright.

    >>> print(latex_letter("alpha"), latex_letter("D_K"), latex_letter("side"), latex_letter("k", r"\kappa"))
    \alpha D_{K} \mathrm{side} \kappa
    """
    if declared is not None and letter_fault(declared):
        return rf"\text{{{latex_text(declared)}}}"
    if declared is not None and ("\\" in declared or "{" in declared):
        return declared
    return _letter(declared or name)


def _letter(name: str) -> str:
    r"""A name as LaTeX has it: a Greek letter, a letter with an index or primes, else upright.

    >>> print(_letter("alpha"), _letter("D_K"), _letter("side"), _letter("d″"))
    \alpha D_{K} \mathrm{side} d^{\prime\prime}
    """
    stem = name.rstrip("′″")
    primes = name[len(stem) :].replace("″", "′′").replace("′", r"\prime")
    if primes:
        return f"{_letter(stem)}^{{{primes}}}"
    head, _, index = stem.partition("_")
    if index and len(head) == 1:
        return f"{head}_{{{index}}}" if len(index) == 1 and index != "_" else f"{head}_{{{latex_upright(index)}}}"
    if stem in GREEK:
        return f"\\{stem}"
    return stem if len(stem) == 1 else latex_upright(stem)
