"""Questions over many values of symbols: what fits a budget, what a cost answers to, where kinds of layers cross."""
