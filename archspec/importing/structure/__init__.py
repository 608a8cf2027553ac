"""The structure of a flat body: blocks with arguments, conditions, tables."""

from archspec.importing.structure.blocks import Recovered, defaults, recovered

__all__ = ["Recovered", "defaults", "recovered"]
