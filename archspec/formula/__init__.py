"""Closed forms: what a network costs as a formula in its symbols, and the questions one asks of a formula."""
