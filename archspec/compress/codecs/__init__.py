"""How arrays are written: one file per codec, each an object that says its size and does what it says.

A codec is asked for its size with counts (`Stats`), by the prediction and by the writer alike; only the writer calls
`encode`, only the reader `decode`.
"""
