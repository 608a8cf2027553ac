"""The structure of a flat body: blocks with arguments, conditions, tables."""
