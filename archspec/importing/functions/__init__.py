"""What functions of aten, as torch.export writes them undecomposed, and operators of ONNX are in the language.

One file for each family. One rule reads what torch and ONNX call the same thing, for both have torch's words here (see
`onnx_words`); its defaults are torch's, for arguments of ONNX are never left out.
"""

from archspec.importing.functions import activation, attention, conv, join, norm, pooling, recurrent, shape, spatial
