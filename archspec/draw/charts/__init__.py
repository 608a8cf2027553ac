"""Charts: one file per kind, each a function from a result to an Altair chart."""
