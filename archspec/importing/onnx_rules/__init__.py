"""What ONNX writes: its operators, of opset 7 to 25 → operators of the language; one file per family.

Inputs of a node are its arguments input0, input1, …; its attributes have their own names. What older versions say by an
attribute newer ones say by an input: `setting` reads either.
"""

from archspec.importing.onnx_rules import activation, conv, join, norm, pooling, quantised, recurrent, shape, spatial
