"""The expressions: what they come to, what they are not, and where it says so."""

# ruff: noqa: E501  # a case is a row, however long

from decimal import Decimal
from fractions import Fraction

import pytest

from archspec.errors import Mark, SourceText, SpecError
from archspec.language.expression import MAX_WORK, Expression, Scope
from archspec.language.reader import parse

VALUES = {"a": 3, "half": Fraction(1, 2), "yes": True, "act": "relu", "in_channels": 16}
FUNCTIONS = {"twice": lambda x: 2 * x, "pick": lambda x, column: (x, column)}


def scope():
    return Scope(dict(VALUES), FUNCTIONS, words=frozenset({"same", "relu"}))


def value(text):
    return Expression(text).evaluate(scope())


def fault(text):
    """The column that a fault of an expression points at, counting from 1 at its first character, and the message."""
    at = Mark(SourceText("f", (text,)), 1, 1)
    with pytest.raises(SpecError) as caught:
        Expression(text, at).evaluate(scope())
    return caught.value.at.column, caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("-7", -7),
        ("+a", 3),
        ("0.35", Fraction(7, 20)),
        ("1e3", 1000),
        ("1_000", 1000),
        ("7/5", Fraction(7, 5)),
        ("8/4", 2),
        ("a * half", Fraction(3, 2)),
        ("a * half * 2", 3),
        ("7 // 2 + 7 % 2", 3 + 1),
        ("-7 // 2", -4),
        ("-7 % 2", 1),
        ("2 ** 10", 1024),
        ("2 ** -2", Fraction(1, 4)),
        ("(1/2) ** 2", Fraction(1, 4)),
        ("0 ** 0", 1),
        ("true", True),
        ("not false", True),
        ("a == 3 and not yes == false", True),
        ("a == 4 or a != 4", True),
        ("1 < a <= 3 < 4", True),
        ("1 < a < 2", False),
        ("a >= 3 and a > 2", True),
        ("act == relu", True),
        ("act == same", False),
        ("act == 3", False),
        ("yes == 1", False),
        ("same", "same"),
        ("floor(7/2) + ceil(7/2) + round(7/2)", 3 + 4 + 4),
        ("min(a, 2) + max(a, 2, 5)", 2 + 5),
        ("make_divisible(a * 11, 8)", 32),
        ("make_divisible(a)", 8),
        ("make_divisible(3, 8, 16)", 16),
        ("ceil_div(7, 2) + exact_div(6, 3)", 4 + 2),
        ("twice(twice(a))", 12),
        ("pick(a, same)", (3, "same")),
        ("  a  ", 3),
    ],
)
def test_an_expression_comes_to_its_exact_value(text, expected):
    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    ("given", "text"),
    [(3, "3"), (True, "true"), (False, "false"), (0.35, "0.35"), (Fraction(7, 20), "7/20"), (Decimal("0.5"), "0.5")],
)
def test_numbers_are_written_as_they_stand(given, text):
    assert str(Expression(given)) == text
    assert Expression(given) == Expression(text)
    assert hash(Expression(given)) == hash(Expression(text))
    assert repr(Expression(given)) == f"Expression({text!r})"


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("alpha * 3", 1, "undefined name 'alpha'"),
        ("3 * in_chanels", 5, "undefined name 'in_chanels'; did you mean 'in_channels'?"),
        ("3 + in_height", 5, "what flows in here is not an image and has no height"),
        ("3 + twce(2)", 5, "undefined function 'twce'; did you mean 'twice'?"),
        ("(lambda: 1)()", 1, "a call is name(argument, …)"),
        (
            "1 + lambda: 1",
            5,
            "'1 + lambda: 1' is not an expression: it takes numbers, names, + − * / // **, comparisons and functions",
        ),
        ("lambda: 1", 1, "'lambda: 1' is not allowed in an expression"),
        ("1 + a.b", 5, "'a.b' is not allowed in an expression"),
        ("a.b()", 1, "a call is name(argument, …)"),
        ("a[0]", 1, "'a[0]' is not allowed in an expression"),
        ("[1]", 1, "'[1]' is not allowed in an expression"),
        ("[x for x in a]", 1, "'[x for x in a]' is not allowed in an expression"),
        ("{1: 2}", 1, "'{1: 2}' is not allowed in an expression"),
        ("f'{a}'", 1, "'f'{a}'' is not allowed in an expression"),
        ("(a := 1)", 2, "'a := 1' is not allowed in an expression"),
        ("a if yes + 1 else 1", 6, "expected a number, found true"),
        ("1 if 2 else 3", 6, "expected a condition, found 2"),
        ("1, 2", 1, "'1, 2' is not allowed in an expression"),
        ("await a", 1, "'await a' is not allowed in an expression"),
        ("3 * 'x'", 5, "expected a number or a name, found 'x'"),
        ("b'x'", 1, "expected a number or a name, found b'x'"),
        ("1j", 1, "expected a number or a name, found 1j"),
        ("None", 1, "expected a number or a name, found None"),
        ("...", 1, "expected a number or a name, found ..."),
        ("a == True", 6, "expected a number or a name, found True; write true"),
        ("~1", 1, "'~' is not allowed in an expression"),
        ("1 + (2 << 3)", 6, "the operator of '2 << 3' is not allowed in an expression"),
        ("a is 3", 1, "only ==, !=, <, <=, > and >= compare"),
        ("a in b", 1, "only ==, !=, <, <=, > and >= compare"),
        ("twice(x=1)", 1, "a call is name(argument, …)"),
        ("twice(*a)", 1, "a call is name(argument, …)"),
        ("1 + floor(1, 2)", 5, "'floor' takes 1 argument (got 2)"),
        ("min()", 1, "'min' takes 1 or more arguments (got 0)"),
        ("make_divisible()", 1, "'make_divisible' takes 1 to 3 arguments (got 0)"),
        ("ceil_div(1)", 1, "'ceil_div' takes 2 arguments (got 1)"),
        ("1 +", 4, "'1 +' is not an expression: it takes numbers, names, + − * / // **, comparisons and functions"),
        (
            "(1",
            1,
            "'(1' is not an expression: '(' was never closed; inside { } and [ ], an expression with commas needs quotes",
        ),
        ("a b", 3, "'a b' is not an expression: it takes numbers, names, + − * / // **, comparisons and functions"),
        ("007", 1, "'007' is not an expression: leading zeros in decimal integer literals are not permitted"),
        ("1 + α", 5, "unexpected character 'α'; names are ASCII"),
        ("a" * 60 + "é", 61, "unexpected character 'é'; names are ASCII"),
        ("nan", 1, "expected a finite number, found 'nan'"),
        ("-.inf", 1, "expected a finite number, found '-.inf'"),
        ("Infinity", 1, "expected a finite number, found 'Infinity'"),
        ("1 + 1e999", 5, "expected a number of ordinary size, found '1e999'"),
        ("1 + " + "9" * 31, 5, f"the number {'9' * 31} is too large"),
        ("1 + 10**30", 5, "a result is too large"),
        ("1/10**29/10", 1, "a result is too large"),
        ("9**9**9", 1, "an exponent must be a whole number between −64 and 64 (got 387420489)"),
        ("1 + 2**half", 5, "an exponent must be a whole number between −64 and 64 (got 1/2)"),
        ("0**-1", 1, "division by zero"),
        ("1 + 1/0", 1, "division by zero, in '1 + 1/0'"),
        ("exact_div(17, 4)", 1, "17 is not divisible by 4, in 'exact_div(17, 4)'"),
        ("3 + yes", 1, "expected a number, found true"),
        ("yes * 3", 1, "expected a number, found true"),
        ("-act", 1, "expected a number, found 'relu'"),
        ("floor(act)", 1, "expected a number, found 'relu'"),
        ("not a", 1, "expected a condition, found 3"),
        ("yes and a", 1, "expected a condition, found 3"),
        ("a < act", 1, "cannot order 3 and relu"),
        ("yes < 3", 1, "cannot order True and 3"),
        ("-" * 900 + "1", 51, "nested more than 50 deep"),
        ("(" * 300 + "1" + ")" * 300, 201, f"'{'(' * 59}…' is not an expression: too many nested parentheses"),
        ("1" + "+1" * 600, 1, "an expression of 1,201 characters; at most 1,000 are allowed"),
        ("", 1, "expected a number or an expression, found an empty text"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_fault_says_where_in_the_expression_it_is(text, column, message):
    assert fault(text) == (column, message)


@pytest.mark.parametrize(
    ("given", "found"),
    [(None, "nothing"), ([1], "a list"), ((), "a list"), ({"a": 1}, "a mapping"), (b"1", "bytes"), (1j, "complex")],
)
def test_what_is_no_text_and_no_number_is_no_expression(given, found):
    with pytest.raises(SpecError, match=f"^expected a number or an expression, found {found}$"):
        Expression(given)


@pytest.mark.parametrize(
    "text", ["1\0", "a\nb", "\\", "1;2", "a = 1", "import os", "yield", "*a", "1 if", "`a`", "a!b", "$a"]
)
def test_what_is_no_expression_of_python_is_none_of_ours(text):
    with pytest.raises(SpecError, match="is not an expression"):
        Expression(text)


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ValueError])
def test_what_overcomes_the_parser_is_no_expression(error, monkeypatch):
    def overcome(*_, **__):
        raise error

    monkeypatch.setattr("ast.parse", overcome)
    with pytest.raises(SpecError, match="'1 \\+ 87654321' is not an expression"):
        Expression("1 + 87654321")


@pytest.mark.parametrize(
    ("written", "column"),
    [("1 + zz", 8), ("'1 + zz'", 9), ('"1 + zz"', 9), (">-\n  1 + zz", 4), ('"1 \\x2b zz"', 4), ("' 1 + zz'", 10)],
)
def test_a_fault_in_a_file_is_at_its_column_or_at_the_text_where_its_characters_were_moved(written, column):
    scalar = parse(f"a: {written}\n")["a"]
    with pytest.raises(SpecError) as caught:
        Expression(scalar, scalar.at).evaluate(scope())
    assert (caught.value.at.line, caught.value.at.column) == (1, column)


def test_names_and_calls_are_known_without_evaluation():
    expression = Expression("a + twice(b + a, 3) + floor(c)")
    assert expression.names == {"a": 0, "b": 10, "c": 28}
    assert expression.called == {"twice": (4, 2)}
    assert not expression.constant
    assert Expression("floor(7/2) == 3 and true").constant
    assert Expression("((1))").depth == 1
    assert Expression("-(1 + 2)").depth == 3


def test_a_name_means_its_value_before_it_means_a_word():
    assert Expression("same").evaluate(Scope({"same": 5}, words=frozenset({"same"}))) == 5


def test_a_scope_within_another_sees_its_names_and_shares_its_budget():
    outer = scope()
    inner = outer.within({"a": 10})
    assert Expression("a + half * 2").evaluate(inner) == 11
    assert outer.values["a"] == 3
    assert outer.budget[0] == inner.budget[0] == MAX_WORK - 5


def test_work_without_end_is_refused():
    endless = Scope({})
    endless.functions = {"f": lambda x: Expression("f(x) + f(x)").evaluate(endless.within({"x": x}))}
    endless.budget[0] = 500  # the recursion would end at Python's bound before it reached ours
    with pytest.raises(SpecError, match="the expressions of this specification take too long"):
        Expression("f(1)").evaluate(endless)
