"""Whatever document Python can build is the same after it was written as YAML and read again."""

import string
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.language import Document, check, dumps
from archspec.language.alphabet import line_fault
from archspec.language.located import Faults
from archspec.language.reader import parse

LETTERS = string.ascii_letters
NAMES = st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + string.digits + "_", max_size=6)).filter(
    lambda name: name != "name"
)
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.fractions(-(10**9), 10**9, max_denominator=1000),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
)
EXPRESSIONS = st.one_of(
    NUMBERS,
    st.booleans(),
    st.sampled_from(
        ["a", "yes", "no", "on", "null_", "2 * a", "f(a, 3)", "a == 3 and not b", "same", "1e3", "0x10", "-a"]
    ),
)
VALUES = st.recursive(EXPRESSIONS, lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=5)


def allowed(text):
    """Whether a field of one line may hold it."""
    return line_fault(text) is None


TEXTS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30).filter(allowed) | st.sampled_from(
    [
        "null",
        "~",
        "yes",
        "1",
        "1.0",
        "- a",
        "a: b",
        "#",
        " x ",
        "'",
        '"',
        "",
        "|",
        "é",
        "\\alpha",
        "?0",
        ":a",
        "-a",
        "a ?",
        "%x",
        "@x",
        "`x",
    ]
)


def optional(strategy):
    return st.none() | strategy


def present(mapping):
    return {key: value for key, value in mapping.items() if value is not None}


def records(**fields):
    return st.fixed_dictionaries(fields).map(present)


CALLS = st.tuples(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), optional(NAMES)).map(
    lambda call: present({"name": call[0], "args": call[1], "as": call[2]})
)
TABLES = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda columns: records(
        columns=st.tuples(*(st.just(name) | EXPRESSIONS.map(lambda built, n=name: {n: built}) for name in columns)),
        block=optional(NAMES),
        repeat=optional(NAMES),
        after_first=st.dictionaries(NAMES, VALUES, max_size=2),
        rows=st.lists(st.tuples(*(optional(VALUES) for _ in columns)), max_size=3),
    )
)


def steps(inner):
    bodies = st.lists(inner, max_size=3)
    branches = st.lists(bodies, max_size=3) | st.dictionaries(NAMES, bodies, max_size=3)
    return st.one_of(
        records(**{"when": EXPRESSIONS, "then": bodies, "else": optional(bodies)}),
        records(**{"repeat": EXPRESSIONS, "index": optional(NAMES), "body": bodies, "as": optional(NAMES)}),
        records(**{"let": st.dictionaries(NAMES, VALUES, max_size=2), "body": bodies, "as": optional(NAMES)}),
        records(**{"add": branches, "as": optional(NAMES)}),
        records(concat=branches, dim=EXPRESSIONS),
    )


STEPS = st.recursive(
    st.one_of(
        CALLS,
        NAMES,
        records(**{"use": EXPRESSIONS, "with": st.dictionaries(NAMES, VALUES, max_size=2), "as": optional(NAMES)}),
        records(**{"from": NAMES}),
        records(table=TABLES),
    ),
    steps,
    max_leaves=6,
)
BODIES = st.lists(STEPS, max_size=4)
SOURCES = records(title=TEXTS, authors=optional(TEXTS), year=optional(st.integers(1900, 2100)), arxiv=optional(TEXTS))
POSITIVE = st.fractions(Fraction(1, 10), 100, max_denominator=100)
DOCUMENTS = records(
    archspec=st.just(1),
    name=NAMES,
    doc=optional(TEXTS),
    source=optional(SOURCES),
    symbols=st.dictionaries(NAMES, records(default=POSITIVE | NAMES, doc=optional(TEXTS)), max_size=3),
    functions=st.dictionaries(NAMES.map(lambda name: f"{name}(a, b)"), EXPRESSIONS, max_size=2),
    lookups=st.dictionaries(
        NAMES,
        records(
            columns=st.lists(NAMES, min_size=2, max_size=3),
            rows=st.lists(st.lists(POSITIVE | NAMES, max_size=3), max_size=3),
        ),
        max_size=2,
    ),
    let=st.dictionaries(NAMES, VALUES, max_size=2),
    input=st.lists(EXPRESSIONS, max_size=4),
    blocks=st.dictionaries(
        NAMES, records(doc=optional(TEXTS), args=st.dictionaries(NAMES, VALUES, max_size=2), body=BODIES), max_size=2
    ),
    network=BODIES,
)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@settings(max_examples=60, deadline=None)
@given(DOCUMENTS)
def test_a_document_is_the_same_after_it_is_written_and_read(content):
    document = Document.model_validate(content)
    faults = Faults()
    again = Document.model_validate(parse(dumps(document), faults=faults), context=faults)
    assert (again, faults) == (document, [])
    assert dumps(again) == dumps(document)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@settings(max_examples=60, deadline=None)
@given(DOCUMENTS)
def test_any_document_can_be_checked(content):
    assert all(str(fault) for fault in check(Document.model_validate(content)))
