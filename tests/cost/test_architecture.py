"""The public face."""

import pytest

import archspec
from archspec.errors import SpecErrors
from archspec.language.document import Call, Document


def test_an_architecture_can_be_built_in_python():
    document = Document(archspec=1, name="built", input=(3, 8, 8), network=(Call(name="relu"),))
    assert archspec.Architecture(document).count().operations.comparisons == 3 * 8 * 8


def test_an_architecture_built_in_python_is_checked_too():
    document = Document(archspec=1, name="built", input=(3, 8, 8), network=(Call(name="rleu"),))
    with pytest.raises(SpecErrors, match="unknown operator or block 'rleu'; did you mean 'relu'"):
        archspec.Architecture(document)


def test_an_architecture_is_its_document():
    one, two = archspec.load("lenet_5"), archspec.loads(archspec.load("lenet_5").dumps())
    assert one == two
    assert hash(one) == hash(two)
    assert one != archspec.load("mobilenet")
    assert one.name == "lenet_5"
    assert repr(one) == "<Architecture lenet_5>"


def test_one_free_symbol_needs_no_list():
    network = archspec.load("lenet_300_100").expand(free="classes")
    assert str(network.nodes[-1].output) == "classes"
