"""What torch.export writes, undecomposed: functions of aten → operators of the language; one file per family."""

from archspec.importing.aten import activation, attention, conv, join, norm, pooling, recurrent, shape, spatial
