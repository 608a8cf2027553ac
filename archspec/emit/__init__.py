"""PyTorch source from a specification: the specification translated, with its symbols as arguments."""

from archspec.emit.network import source

__all__ = ["source"]
