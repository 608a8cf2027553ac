"""The JSON Schema that editors use accepts what the language accepts, and tells what it does not."""

import json

import jsonschema
import pytest
from ruamel.yaml import YAML

from archspec import ops
from archspec.language import schema, zoo

SCHEMA = schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def plain(text):
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))


@pytest.mark.parametrize("name", zoo.names())
def test_every_specification_of_the_zoo_agrees_with_it(name):
    VALIDATOR.validate(plain(zoo.path(name).read_text()))


def test_it_is_a_schema_of_its_own_draft():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert schema() == SCHEMA


def test_every_operator_that_takes_one_input_stands_in_it_with_its_arguments():
    known = SCHEMA["$defs"]["Call"]["anyOf"][1]["properties"]
    for name in ops.names():
        operator = ops.operator(name)
        if operator.arity == "one":
            assert set(known[name]["properties"]) == set(operator.model_fields)


@pytest.mark.parametrize(
    "fault",
    [
        "nme: x",
        "network: [{conv2d: {out_chanels: 3, kernel_size: 1}}]",
        "network: [{conv2d: {out_channels: 3}}]",
        "symbols: {a: {defualt: 1}}",
        "archspec: 2",
    ],
)
def test_it_tells_an_editor_of_a_fault(fault):
    text = "archspec: 1\nname: x\ninput: [3, 8, 8]\nnetwork: [relu]\n"
    key = fault.partition(":")[0]
    kept = "\n".join(line for line in text.splitlines() if not line.startswith(f"{key}:"))
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(plain(f"{kept}\n{fault}\n"))
