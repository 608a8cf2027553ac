"""Tables and texts for people, and the same figures for machines: one file a report, loaded by its verb."""
