"""What the tests of imports share: reading a module, and its counts beside torch's."""

import pytest


@pytest.fixture
def imports():
    """A module as a document with its arrays, from torch, from an archive or from ONNX."""
    pytest.importorskip("torch")
    from archspec.importing import document_of
    from archspec.importing.exported import exported

    def read(model, sizes, flat=False):
        program = exported(model, (2, *sizes))
        return document_of(program, flat=flat), program

    return read


@pytest.fixture
def randomised():
    """A module whose normalisations and biases are not what they began as."""
    torch = pytest.importorskip("torch")

    def change(model):
        with torch.no_grad():
            for name, value in [*model.named_parameters(), *model.named_buffers()]:
                if name.endswith("running_var"):
                    value.uniform_(0.5, 1.5)
                elif value.dtype.is_floating_point:
                    value.copy_(torch.randn_like(value) * (0.5 / max(1, value[0].numel()) ** 0.5))
        return model.eval()

    return change
