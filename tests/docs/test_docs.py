"""The pages of docs/ say what the code does.

Markers that a rendered page does not show tell how a part is tested:

    <!-- nodes -->          a text block: the nodes of the YAML block before it, each with its shape
    <!-- faults -->         a text block: the faults of the YAML block before it
    <!-- values -->         a table of expressions and their values
    <!-- kinds -->          a table of kinds of operation
    <!-- limits --> … <!-- end -->, also conventions, quantities, pictures, operators, domains, costs,
        examples: tables made from the code

`UPDATE_DOCS=1 pytest tests/docs` writes the faults and the tables made from the code anew.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from ruamel.yaml import YAML
from samples import SAMPLES

import archspec
from archspec import ops
from archspec.cost import CONVENTIONS, DEFAULT, QUANTITIES
from archspec.draw import PICTURES
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.formula.operators import operator_forms
from archspec.language import alphabet, document, reader, rules, steps
from archspec.language import expression as expressions
from archspec.language.document import Document
from archspec.language.expression import BUILTINS, Expression, Scope
from archspec.ops import KINDS

expansion = import_module("archspec.graph.expand")  # the package has a function of that name

DOCS = Path(__file__).parents[2] / "docs"
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def table(text, marker):
    """The cells of the table behind a marker, without its header."""
    lines = text.split(f"<!-- {marker} -->\n", 1)[1].lstrip("\n").splitlines()
    rows = []
    for line in lines:
        if not line.strip().startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]])
    return rows[2:]


# ------------------------------------------------------------------ the language


@dataclass(frozen=True)
class Example:
    """A YAML block of the page, and what the page says of it."""

    line: int
    text: str
    nodes: str | None
    faults: str | None

    @property
    def whole(self):
        return re.match(r"(#.*\n)*archspec: 1\n", self.text) is not None

    @property
    def specification(self):
        """The block as a whole document: steps become its network, keys that are left out are filled in."""
        if self.whole:
            return self.text
        text = self.text
        if text.startswith("- "):
            text = "network:\n" + text
        for key, filler in (("network", "[relu]"), ("input", "[3, 32, 32]"), ("name", "fragment"), ("archspec", "1")):
            if not re.search(rf"^{key}:", text, re.MULTILINE):
                text = f"{key}: {filler}\n{text}"
        return text


def examples(name):
    text = page(name)
    blocks = list(re.finditer(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    ends = [block.start() for block in blocks[1:]] + [len(text)]
    for block, end in zip(blocks, ends, strict=True):
        said = {
            marker: re.search(rf"<!-- {marker} -->\n```text\n(.*?)```", text[block.end() : end], re.DOTALL)
            for marker in ("nodes", "faults")
        }
        line = text.count("\n", 0, block.start()) + 1
        yield Example(line, block[1], *(found and found[1] for found in said.values()))


EXAMPLES = list(examples("language.md"))
SOUND = [pytest.param(example, id=f"line{example.line}") for example in EXAMPLES if example.faults is None]
FAULTY = [pytest.param(example, id=f"line{example.line}") for example in EXAMPLES if example.faults is not None]


def test_every_marker_of_the_page_is_behind_an_example():
    text = page("language.md")
    for marker in ("nodes", "faults"):
        assert text.count(f"<!-- {marker} -->") == sum(getattr(e, marker) is not None for e in EXAMPLES) > 0
    assert text.count("```yaml") == len(EXAMPLES)


@pytest.mark.parametrize("example", SOUND)
def test_an_example_loads_expands_and_counts(example):
    arch = archspec.loads(example.specification)
    network = arch.expand()
    assert network.nodes
    assert network.count().activations >= 0
    assert archspec.loads(arch.dumps()) == arch


@pytest.fixture(scope="module")
def schema():
    """What an editor gets, and holds a specification against."""
    printed = subprocess.run([sys.executable, "-m", "archspec", "schema"], check=True, capture_output=True)
    found = json.loads(printed.stdout)
    validator = jsonschema.validators.validator_for(found)
    validator.check_schema(found)
    return validator(found)


@pytest.mark.parametrize("example", SOUND)
def test_an_example_agrees_with_the_schema(example, schema):
    plain = YAML(typ="safe", pure=True).load(example.specification)
    schema.validate(json.loads(json.dumps(plain)))


@pytest.mark.parametrize("example", [e for e in SOUND if e.values[0].nodes is not None])
def test_the_nodes_are_those_that_the_page_lists(example):
    network = archspec.loads(example.specification).expand()
    found = [f"{node.name} {node.output}" for node in network.nodes]
    assert [" ".join(line.split()) for line in example.nodes.splitlines()] == found


@pytest.mark.parametrize("example", FAULTY)
def test_the_faults_are_those_that_the_page_shows(example):
    assert example.whole
    with pytest.raises(SpecErrors) as caught:
        archspec.loads(example.text, "faulty.yaml").expand()
    if UPDATE:
        _rewrite("language.md", example.text, str(caught.value))
        return
    assert example.faults.rstrip("\n") == str(caught.value)


def _rewrite(name, before, output):
    text = page(name)
    head, tail = text.split(before, 1)
    tail = re.sub(
        r"(<!-- faults -->\n```text\n).*?```", lambda m: f"{m[1]}{output}\n```", tail, count=1, flags=re.DOTALL
    )
    (DOCS / name).write_text(head + before + tail, encoding="utf-8")


def values():
    return [pytest.param(*(cell.strip("`") for cell in row), id=row[0]) for row in table(page("language.md"), "values")]


@pytest.mark.parametrize(("text", "value"), values())
def test_an_expression_has_the_value_that_the_page_says(text, value):
    if value == "error":
        with pytest.raises(SpecError):
            Expression(text).evaluate(Scope({"x": 1}))
        return
    found = Expression(text).evaluate(Scope({}))
    assert (str(found).lower() if isinstance(found, bool) else str(found)) == value


def test_the_page_names_every_function_key_step_and_word():
    text = page("language.md")
    for name in BUILTINS:
        assert f"`{name}(" in text
    for name in Document.model_fields:
        assert f"\n| `{name}`" in text
    for name in document.Source.model_fields:
        assert f"`{name}`" in text
    for name in {*steps._STEPS} - {"call", "join"}:
        assert f"`{name}`" in text
    for word in ops.words():
        assert f"`{word}`" in text
    fields = {"type", "default", "range", "choices", "latex", "free", "doc"}
    for field in fields:
        assert f"`{field}`" in text
    assert set(document.Symbol.model_fields) == fields


LIMITS = {
    "bytes of a file": reader.MAX_BYTES,
    "depth of the YAML": reader.MAX_DEPTH,
    "values in the YAML": reader.MAX_NODES,
    "keys of one mapping": reader.MAX_KEYS,
    "characters of one text": reader.MAX_SCALAR,
    "characters of a letter": alphabet.MOST,
    "characters of one expression": expressions.MAX_LENGTH,
    "depth of one expression": expressions.MAX_DEPTH,
    "an exponent, up or down": expressions.MAX_EXPONENT,
    "a number's numerator or denominator": expressions.MAX_MAGNITUDE,
    "depth of functions that call functions": rules.MAX_NESTING,
    "parts of expressions evaluated in one expansion": expressions.MAX_WORK,
    "steps of an expanded network": import_module("archspec.graph.expansion").MAX_STEPS,
    "parts of the expression of a size": import_module("archspec.graph.expansion").MAX_PARTS,
    "depth of blocks, branches and groups": expansion.MAX_DEPTH,
    "one repetition": rules.MAX_REPEAT,
    "one size of a tensor": rules.MAX_SIZE,
}


def test_the_limits_are_those_of_the_code():
    generated(
        "language.md",
        "limits",
        ["| limit | most |", "|---|---|", *(f"| {what} | {large(limit)} |" for what, limit in LIMITS.items())],
    )


def large(number):
    """A number as a reader takes it in: 10^12, or 1,000,000."""
    zeros = len(str(number)) - 1
    return f"10^{zeros}" if zeros > 9 and number == 10**zeros else f"{number:,}"


def generated(name, marker, lines):
    """Compare the part of a page between a marker and its end with lines, or write it anew."""
    head, rest = page(name).split(f"<!-- {marker} -->\n", 1)
    said, tail = rest.split("<!-- end -->", 1)
    wanted = "\n".join(lines)
    if UPDATE:
        (DOCS / name).write_text(f"{head}<!-- {marker} -->\n{wanted}\n\n<!-- end -->{tail}", encoding="utf-8")
    else:
        assert said.strip() == wanted, "write the table anew: UPDATE_DOCS=1 pytest tests/docs"


# ------------------------------------------------------------------ the operators


def test_the_operators_and_their_arguments_are_those_of_the_register():
    rows = [
        f"| `{name}` | {arguments(cls)} | {first_sentence(cls)} |" for name, cls in sorted(ops.registered().items())
    ]
    generated(
        "operators.md",
        "operators",
        ["| operator | arguments | computes |", "|---|---|---|", *(row.replace("|  |", "| |") for row in rows)],
    )


def arguments(cls):
    """The arguments of an operator as the page writes them: `name`, or `name = default`."""
    fields = cls.model_fields.items()
    defaults = {key: "" if info.is_required() else f" = {written(info.default)}" for key, info in fields}
    return ", ".join(f"`{key}{default}`" for key, default in defaults.items())


def written(value):
    if value is None or isinstance(value, bool):
        return {None: "~", True: "true", False: "false"}[value]
    return str(value).replace("e-0", "e-")


def first_sentence(cls):
    return " ".join(cls.__doc__.split("\n\n")[0].split()).removesuffix(".").replace("|", "\\|")


def test_what_arguments_may_be_is_what_their_classes_say():
    used = {}
    for name, cls in sorted(ops.registered().items()):
        for field, info in cls.model_fields.items():
            used.setdefault(may_be(info), {}).setdefault(field, []).append(name)
    rows = [f"| {', '.join(map(argument, fields.items()))} | {says} |" for says, fields in sorted(used.items())]
    generated("operators.md", "domains", ["| argument | may be |", "|---|---|", *rows])


def argument(item):
    """An argument, and whose it is where operators have others of that name."""
    field, owners = item
    kinds = {may_be(cls.model_fields[field]) for cls in ops.registered().values() if field in cls.model_fields}
    return f"`{field}`" if len(kinds) == 1 else f"`{field}` of {', '.join(f'`{owner}`' for owner in owners)}"


def may_be(info):
    known = ops.base.domain(info)
    return known.says if known else " or ".join(f"`{word}`" for word in get_args(info.annotation))


def test_the_costs_are_the_closed_forms_of_the_register():
    rows = [
        f"| {called(form)} | {figure(form, 'params')} | {figure(form, 'buffers')} | {figure(form, 'macs')} | "
        f"{'; '.join(f'{kind}: {figure(form, kind)}' for kind in form.figures if kind in KINDS[1:]) or 'none'} |"
        for form in sorted(operator_forms(), key=lambda form: form.operator)
    ]
    head = ["| operator | params | buffers | macs | other operations |", "|---|---|---|---|---|"]
    generated("operators.md", "costs", [*head, *rows])


def called(form):
    settings = ", ".join(f"{name}: {setting(value)}" for name, value in form.settings.items())
    return f"`{form.operator}`, `{settings}`" if settings else f"`{form.operator}`"


def figure(form, name):
    return str(form.figures.get(name, 0))


def test_the_examples_are_the_samples():
    rows = [
        f"| `{step(sample)}` | {', '.join(map(sizes, sample.inputs))} | {sizes(sample.output)} | {sample.params:,} | "
        f"{done(sample.operations)} |"
        for sample in sorted(SAMPLES, key=lambda sample: sample.name)
    ]
    head = ["| step | inputs, batch first | result | params | operations |", "|---|---|---|---|---|"]
    generated("operators.md", "examples", [*head, *rows])


def done(operations):
    kinds = zip(KINDS, operations.counts(), strict=True)
    return "; ".join(f"{kind} {number:,}" for kind, number in kinds if number) or "none"


def step(sample):
    settings = ", ".join(f"{key}: {setting(value)}" for key, value in sample.settings.items())
    return f"{sample.name}: {{{settings}}}" if settings else sample.name


def setting(value):
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else written(value)


def sizes(shape):
    return "×".join(map(str, shape))


# ------------------------------------------------------------------ the conventions


def test_the_conventions_are_those_of_the_code():
    rows = [f"| `{c.name}` | {c.doc} | {c.source} |".replace("  |", " |") for c in CONVENTIONS.values()]
    generated("conventions.md", "conventions", ["| convention | counts | who counts so |", "|---|---|---|", *rows])


def test_the_quantities_are_those_of_the_register():
    rows = [f"| `{q.name}` | {q.kind} | {q.unit} | {q.meaning} |".replace("  |", " |") for q in QUANTITIES.values()]
    head = ["| quantity | kind | unit | what it is |", "|---|---|---|---|"]
    generated("conventions.md", "quantities", [*head, *rows])


def test_the_pictures_are_those_of_the_register():
    rows = [
        f"| [{name}](#{name}) | `archspec {'plot ' + name if entry.verb == 'plot' else 'draw'}` | {entry.shows} |"
        for name, entry in PICTURES.items()
    ]
    generated("gallery.md", "pictures", ["| picture | command | shows |", "|---|---|---|", *rows])


def test_the_kinds_of_operation_and_their_flops_are_those_of_default():
    rows = [line for line in page("conventions.md").splitlines() if re.match(r"  \| `\w+`", line)]
    said = {}
    for row in rows:
        kind, _, flops = (cell.strip() for cell in row.strip().strip("|").split("|"))
        said[kind.strip("`")] = int(flops)
    assert said == {kind: DEFAULT.flops.get(kind, 0) for kind in KINDS}


def test_params_of_default_leave_out_the_statistics():
    network = archspec.load("mobilenet").expand()
    table_ = network.count()
    stored = [w for node in network.nodes for w in node.operator.weights(*network.inputs_of(node))]
    assert table_.params == sum(w.elements for w in stored if w.trainable)
    assert table_.buffers == sum(w.elements for w in stored if not w.trainable)
    assert table_.weight_bytes == 4 * (table_.params + table_.buffers)


@pytest.mark.parametrize("name", sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")))
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)]+)\)", page(name)):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        path = (DOCS / name).parent / file if file else DOCS / name
        assert path.is_file()
        linked = path.read_text(encoding="utf-8")
        anchors = {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", linked, re.MULTILINE)
        }
        assert not anchor or anchor in anchors


def test_an_operator_can_be_refused_with_a_sentence():
    with pytest.raises(ArchspecError, match="did you mean 'conv2d'"):
        ops.operator("con2d")
