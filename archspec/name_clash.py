"""Two distributions are called archspec; with the files of both in one folder neither works.

The other describes processors (`archspec` on PyPI, which Spack uses) and installs archspec/cpu. Whichever is installed
last owns `__init__.py`, so the command checks as well as the package.
"""

from pathlib import Path


def refuse_other_distribution(package: Path = Path(__file__).parent) -> None:
    """Stop with a sentence where the other distribution's files lie among ours.

    Raises:
        ImportError: They do; says how to mend it.
    """
    other = package / "cpu"
    if other.is_dir():
        raise ImportError(
            f"{other} belongs to another distribution, 'archspec' (processors), installed into the same folder as this "
            "one, 'archspec-nn' (neural networks): they share the name under which they are imported, and cannot live "
            "in one environment. Mend it with 'pip uninstall archspec archspec-nn' and 'pip install archspec-nn' "
            "(in a checkout: 'pip install .')"
        )
