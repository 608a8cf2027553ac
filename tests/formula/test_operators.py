"""The closed forms of operators are what the operators count, for every operator there is."""

import json
from random import Random

import pytest
from click.testing import CliRunner

from archspec import ops
from archspec.cli import app
from archspec.errors import ArchspecError, ShapeError
from archspec.formula.operators import FIGURES, LETTERS, RESULTS, forms_of, is_size, lettered, operator_forms
from archspec.formula.writers import shape
from archspec.ops import KINDS, Tensor
from archspec.ops.base import Free, Positive, PositivePerAxis, image
from archspec.symbols import value

FORMS = operator_forms()
POOLS = {
    "n": range(1, 4),
    **dict.fromkeys(("c", "c_in", "c_out", "c_1", "c_2", "f_in", "f_out"), (12, 24, 36)),
    **dict.fromkeys(("h", "w"), range(8, 25)),
    **dict.fromkeys(("g", "q", "k", "o"), range(1, 5)),
    **dict.fromkeys(("s", "d", "r", "m", "num_heads"), range(1, 4)),
    **dict.fromkeys(("p", "p_out", "cropping", "shift_size"), range(2)),
    **dict.fromkeys(("f", "u", "d_k", "d_v", "num_groups"), (4, 8, 12)),
    **dict.fromkeys(("l", "z", "rows", "columns", "l_q", "l_k", "t", "heads", "length"), range(5, 9)),
    **dict.fromkeys(("start", "upscale_factor", "downscale_factor", "patch_size"), (1, 2)),
    **dict.fromkeys(("params", "buffers"), (0, 1, 8)),
    **dict.fromkeys(("num_embeddings", "embedding_dim", "q", "window_size"), (2, 3, 4)),
}
FOUND = {"index", *(name for names in RESULTS.values() for name in names)}
"""The letters that the others give: the sizes of the result, and the first part of several."""

SAMPLES, MANY = 15, 200
"""At how many settings a closed form is held against its operator; many by --long."""


def test_every_registered_operator_has_closed_forms():
    assert {form.operator for form in FORMS} == set(ops.registered())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.operator}-{list(form.settings.values())}")
def test_every_letter_of_a_closed_form_has_values_to_try(form):
    cls = ops.operator(form.operator)
    letters = {letter.name for letter in form.letters if not alternatives_of(cls, letter.name)}
    assert letters <= {*POOLS, *FOUND}


def sampled(form, random):
    """Values of the letters, the switches, and the operator with the inputs that they make; None if they do not fit."""
    cls = ops.operator(form.operator)
    values = {letter.name: random.choice(POOLS[letter.name]) for letter in form.letters if letter.name in POOLS}
    switches = {letter.name: random.randint(0, 1) for letter in form.letters if alternatives_of(cls, letter.name)}
    words = {name: form_word(cls, name, flag) for name, flag in switches.items()}
    fixed = {name: bound(setting, values) for name, setting in form.settings.items()}
    sizes = {
        field: values[LETTERS.get(field, field)] for field in cls.model_fields if LETTERS.get(field, field) in values
    }
    required = {"index": 0} if "index" in cls.model_fields else {}
    if not all(condition.holds(values) for condition in form.conditions):
        return None
    try:
        operator = cls(**{**sizes, **required, **words, **fixed})
        inputs = [Tensor(tuple(value(size.exact, values) for size in x)) for x in form.inputs]
        output = operator.output(*inputs)
    except (ShapeError, ValueError):
        return None
    heights = dict(zip(RESULTS[getattr(cls, "axes", 2)], output.shape[2:], strict=False))
    return {**values, **switches, **heights}, operator, inputs, output


def bound(setting, values):
    """A setting with numbers for its letters."""
    return (
        tuple(bound(part, values) for part in setting)
        if isinstance(setting, tuple)
        else values.get(str(setting), setting)
    )


def form_word(cls, name, flag):
    """The setting of a switch or a word that is 0 or 1."""
    return alternatives_of(cls, name)[flag]


def alternatives_of(cls, name):
    """The settings of a switch; none of a size, nor of what is no field."""
    from archspec.formula.operators import alternatives

    return alternatives(cls, name) if name in cls.model_fields else ()


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.operator}-{list(form.settings.values())}")
def test_a_closed_form_is_what_the_operator_counts_at_random_settings(form, request):
    wanted = MANY if request.config.option.long else SAMPLES
    random, found = Random(form.operator), 0  # noqa: S311  # the same samples every time
    for _ in range(400 * wanted):
        drawn = sampled(form, random)
        if drawn is None:
            continue
        found += 1
        values, operator, inputs, output = drawn
        weights = operator.weights(*inputs)
        counted = {
            "params": sum(weight.elements for weight in weights if weight.trainable),
            "buffers": sum(weight.elements for weight in weights if not weight.trainable),
            **dict(zip(KINDS, operator.operations(*inputs).counts(), strict=True)),
        }
        said = {name: value(form.figures[name].exact, values) if name in form.figures else 0 for name in FIGURES}
        assert said == counted
        assert tuple(value(size.exact, values) for size in form.output) == output.shape
        if found == wanted:
            return
    raise AssertionError(f"only {found} samples fit {form.operator}")


def test_the_forms_that_textbooks_print():
    forms = {form.operator: form for form in reversed(FORMS)}
    conv = forms["conv2d"]
    assert str(conv.figures["macs"]) == "n·c_out·h′·w′·c_in·k²/g"
    assert shape(conv.output) == "n × c_out × ⌈(h + 2p − d·(k − 1))/s⌉ × ⌈(w + 2p − d·(k − 1))/s⌉"
    assert [str(condition) for condition in conv.conditions] == ["c_in is a multiple of g", "c_out is a multiple of g"]
    assert str(forms["linear"].figures["macs"]) == "n·f_out·f_in"
    assert shape(forms["concat"].output) == "n × (c_1 + c_2) × h × w"
    assert shape(forms["conv_transpose2d"].output).startswith("n × c_out × (s·(h − 1) − 2p")
    same = next(form for form in FORMS if form.operator == "conv2d" and form.settings)
    assert (same.settings, shape(same.output)) == ({"padding": "same"}, "n × c_out × ⌈h/s⌉ × ⌈w/s⌉")


@pytest.mark.usefixtures("register")
def test_a_new_operator_has_its_closed_forms_at_once():
    class Patches(Free, name="patches_of_a_test"):
        """Squares of pixels as channels."""

        edge: Positive
        step: PositivePerAxis = 1

        def output(self, x):
            n, c, h, w = image(x, self.name)
            return Tensor((n, c * self.edge**2, h, w))

        def torch_call(self, _):
            return None

    (form,) = forms_of(Patches)
    assert shape(form.output) == "n × c·edge² × h × w"
    assert [is_size(Patches, name) for name in ("edge", "step")] == [True, True]


@pytest.mark.usefixtures("register")
def test_an_operator_that_takes_none_of_the_usual_inputs_is_named():
    class Odd(Free, name="odd_one_of_a_test"):
        """Takes nothing."""

        def output(self, _):
            raise ShapeError("nothing fits")

        def torch_call(self, _):
            return None

    with pytest.raises(ArchspecError, match="odd_one_of_a_test takes no inputs"):
        lettered(Odd, {})


# ------------------------------------------------------------------ what is printed


def run(*arguments):
    return CliRunner().invoke(app, ["formula", "--ops", *arguments])


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_table_of_operators_is_printed_in_every_format():
    said = run()
    assert (said.exit_code, said.stderr) == (0, "")
    assert "\nconv2d (padding: same)\n  shapes: n × c_in × h × w → n × c_out × ⌈h/s⌉ × ⌈w/s⌉\n" in said.stdout
    data = json.loads(run("--format", "json").stdout)
    assert {form["operator"] for form in data} == set(ops.registered())
    assert next(form for form in data if form["operator"] == "linear")["macs"]["text"] == "n·f_out·f_in"
    markdown = run("--format", "markdown").stdout
    assert markdown.count("\n|") >= len(FORMS)
    assert run("--format", "latex").stdout.count(r"\item") == len(FORMS)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("text", "  assumes: c_in is a multiple of g; c_out is a multiple of g\n"),
        ("text", "  assumes: h is a multiple of o; w is a multiple of o\n"),
        ("markdown", "| c\\_in is a multiple of g; c\\_out is a multiple of g "),
        ("latex", r" \\ assumes: c\_in is a multiple of g; c\_out is a multiple of g"),
    ],
)
def test_what_a_form_takes_for_true_is_said_beside_it(form, said):
    assert said in run("--format", form).stdout


@pytest.mark.parametrize("arguments", [("mobilenet",), ("--format", "python")])
def test_what_the_table_cannot_be_is_refused(arguments):
    assert run(*arguments).exit_code == 2
    assert CliRunner().invoke(app, ["formula"]).exit_code == 2
