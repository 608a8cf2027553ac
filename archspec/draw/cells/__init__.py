"""Drawings of numbers in cells: channels that are shuffled, gaps between weights, weights that share numbers."""
