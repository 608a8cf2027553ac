"""What is wrong with a text, as its user sees it: a line a fault."""

from collections.abc import Callable

import pytest

from archspec import language
from archspec.errors import SpecErrors


@pytest.fixture
def faults() -> Callable[[str], list[str]]:
    """The faults of a text, each as line:column: message."""

    def found(text: str) -> list[str]:
        with pytest.raises(SpecErrors) as caught:
            language.loads(text, "f")
        return [str(error).split("\n")[0].removeprefix("f:") for error in caught.value.errors]

    return found
