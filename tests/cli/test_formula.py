"""`archspec formula` as someone types it."""

import json

import pytest
from click.testing import CliRunner

from archspec.cli import app


def run(*arguments):
    return CliRunner().invoke(app, ["formula", *arguments], env={"COLUMNS": "100"})


def test_a_formula_is_printed_a_line_a_term_with_its_value_and_what_is_bound():
    assert run("mobilenet", "--free", "alpha,side", "--check", "5").stdout == (
        "mobilenet: MACs\n"
        "  = ⌊32α⌋·⌈side/2⌉²·(n₁ + 36)\n"
        "  + ⌈side/4⌉²·(n₁·n₂ + n₂² + 9·n₁ + 9·n₂)\n"
        "  + ⌈side/8⌉²·(n₂·n₃ + n₃² + 9·n₂ + 9·n₃)\n"
        "  + ⌈side/16⌉²·(n₃·n₄ + 5·n₄² + 9·n₃ + 45·n₄)\n"
        "  + ⌈side/32⌉²·(n₄·n₅ + n₅² + 9·n₄ + 9·n₅)\n"
        "  + 1000·n₅\n"
        "  where n₁ = ⌊64α⌋\n"
        "  and n₂ = ⌊128α⌋\n"
        "  and n₃ = ⌊256α⌋\n"
        "  and n₄ = ⌊512α⌋\n"
        "  and n₅ = ⌊1024α⌋\n"
        "with classes = 1000\n"
        "568,740,352 at α = 1, side = 224\n"
        "convention default\n"
        "checked: equal to the count at 5 random bindings (seed 0)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["separable", "--letters", "paper"], "  = D_K²·M·D_F²\n  + M·N·D_F²\n"),
        (["mobilenet", "--block", "separable", "--letters", "paper"], "  = D_K²·M·D_F²\n  + M·N·D_F²\n"),
        (["separable", "--letters", "paper", "--over", "mobilenet_full:separable"], "  = 1/N\n  + 1/D_K²\n"),
        (["bottleneck_units"], "  = h·w·(2cm/g + 9m)\n"),
        (["bottleneck_units"], "assumes c is a multiple of g; m is a multiple of g"),
        (["mobilenet", "--view", "divisible"], "valid when 32α is whole; side is a multiple of 32"),
        (["mobilenet", "--view", "asymptotic"], "  ≈ side²·(10752α² + 1125α/2)\n"),
        (["mobilenet", "--set", "alpha=1/2", "--part", "fc"], "  = 512·classes\n"),
        (["mobilenet", "--of", "params", "--part", "conv2d"], "mobilenet/conv2d: params\n"),
        (["alexnet", "--of", "params", "--by", "stage"], "  conv2    = 256 + 614400/g\n"),
        (["alexnet", "--of", "params", "--by", "stage", "--check", "3"], "checked, each: equal to the count"),
        (["mobilenet", "--free", "batch"], "  = 568740352·batch\n"),
        (["separable", "--letters", "paper", "--where", "M=alpha*M"], "α"),
        (["squeezenet_meta"], "more (--format json has all)"),
        (["mobilenet", "--format", "latex"], "\\begin{align*}\n\\text{MACs} &= "),
        (["mobilenet", "--of", "weight_bytes", "--format", "markdown"], "**mobilenet: weights [B]**\n\n$$\n"),
        (["mobilenet", "--format", "numpy"], "import numpy as np"),
        (["mobilenet", "--format", "javascript"], "function macs(alpha, side, classes) {"),
        (["vgg16", "--of", "buffers"], "  = 0\n"),
        (["--method", "xnor_speedup", "--set", "c=256", "--set", "N_W=9"], "  = 2304/37 ≈ 62.2703\n"),
        (["mobilenet", "--where", "side=32*n", "--set", "alpha=1"], "  = 11586048n²\n  + 1024·classes\n"),
        (["mobilenet", "--over", "mobilenet_full"], "mobilenet / mobilenet_full: MACs\n  ≈ (21504·α·side²"),
        (
            ["inverted_residual", "--letters", "paper", "--over", "separable"],
            "  = t·(k² + d′ + d″)/(k² + d″)\nassumes t ≠ 1",
        ),
        (
            ["inverted_residual", "--letters", "paper"],
            "an assumption does not hold; the network is\n  counted: 10,035,200",
        ),
        (["separable", "--letters", "paper", "--free", "D_K", "--set", "N=64"], "  = 401408·D_K²\n  + 25690112\n"),
        (["mobilenet", "--by", "block", "--format", "python"], "def macs_separable7_unit5(alpha, side, classes):"),
    ],
)
def test_what_is_printed(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout
    if "--format" not in arguments:
        assert max(map(len, result.stdout.splitlines())) <= 100


def test_json_holds_the_formula_in_every_language_and_its_conditions_as_data():
    found = json.loads(run("mobilenet", "--view", "divisible", "--check", "3", "--format", "json").stdout)
    assert found["text"] == "side²·(10752α² + 1125α/2) + 1024·α·classes"
    assert found["free"] == ["alpha", "side", "classes"]
    assert found["conditions"][1] == {
        "kind": "divides",
        "left": "side",
        "right": "32",
        "text": "side is a multiple of 32",
    }
    assert found["proof"] == {"equal": True, "tried": 3, "apart": 0, "seed": 0, "against": None}
    assert found["value_at_defaults"] == 568740352
    several = json.loads(run("mobilenet", "--by", "stage", "--format", "json").stdout)
    assert [each["of"] for each in several[:2]] == ["mobilenet/conv", "mobilenet/separable1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mobilenet", "--of", "prams"], "did you mean 'params'?"),
        (["mobilenet", "--free", "depth"], "has no symbol 'depth'; its symbols are alpha, side, classes"),
        (["mobilenet", "--part", "fcc"], "no stage, node or operator 'fcc'; did you mean 'fc'?"),
        (["mobilenet", "--letters", "paper"], "letters are those of a block: mobilenet:BLOCK"),
        (["mobilenet", "--by", "stage", "--over", "alexnet"], "--over divides one formula by one"),
        (["mobilenet", "--where", "alpha"], "expected NAME=EXPRESSION"),
        (["mobilenet", "--where", "beta=2"], "the formula of mobilenet has no symbol 'beta'"),
        (["mobilenet", "--where", "alpha=2 +"], "is not an expression"),
        (["mobilenet", "--set", "alpha=9"], "alpha must be from 1/32 to 4 (got 9)"),
        (["nothing"], "no file or network of the zoo is called 'nothing'"),
        (["mobilenet:nothing"], "'mobilenet' has no block 'nothing'; it has conv_bn_relu, separable"),
        (["conv_bn"], "several networks of the zoo have a block 'conv_bn'"),
        ([], "formula takes a specification"),
        (["mobilenet", "--free", "alpha,alpha"], "--free alpha is given twice"),
        (["mobilenet", "--free", "alpha,"], "--free takes NAME,NAME,…"),
        (["mobilenet", "--free", "batch", "--set", "batch=3"], "the symbol 'batch' cannot be both bound and free"),
        (["mobilenet", "--where", "side=0"], "side must be a whole number above 0 (got 0)"),
        (["mobilenet", "--where", "side=1/2"], "side must be a whole number above 0 (got 1/2)"),
        (["mobilenet", "--where", "alpha=-1"], "alpha must be a number above 0 (got -1)"),
        (["mobilenet", "--where", "alpha=2*k,alpha=k"], "--where alpha is given twice"),
        (["mobilenet", "--check", "2", "--where", "side=32*n"], "--check compares a formula with counts"),
    ],
)
def test_wrong_input_exits_2_and_says_what_would_do(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_formula_that_is_not_the_count_is_a_finding(monkeypatch):
    from archspec.formula import proof

    monkeypatch.setattr(proof, "value", lambda *_: -1)
    result = run("mobilenet", "--check", "3")
    assert result.exit_code == 1
    assert "WRONG at alpha = " in result.stdout
    assert json.loads(run("mobilenet", "--check", "3", "--format", "json").stdout)["proof"]["equal"] is False
    several = run("mobilenet", "--check", "3", "--by", "stage")
    assert several.exit_code == 1
    assert "conv: WRONG at" in several.stdout
