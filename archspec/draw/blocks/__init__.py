"""Blocks and networks as their papers draw them: a tree of parts, laid out by itself, written as SVG."""
