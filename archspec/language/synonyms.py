"""What others call things: operators, their arguments and a document's keys, and operators that there are not.

Words that are near in letters are found by `did_you_mean`; these are near in meaning.
"""

from collections.abc import Container, Mapping

OPERATORS: Mapping[str, str] = {
    **dict.fromkeys(("swish", "sigmoid_linear_unit"), "silu"),
    **dict.fromkeys(("hswish", "hardswish", "h_swish"), "hard_swish"),
    **dict.fromkeys(("hsigmoid", "hardsigmoid"), "hard_sigmoid"),
    **dict.fromkeys(("dense", "fc", "fully_connected", "gemm", "inner_product"), "linear"),
    **dict.fromkeys(("conv", "convolution", "convolution2d", "depthwise_conv2d"), "conv2d"),
    **dict.fromkeys(("deconv", "deconvolution", "conv2d_transpose", "transposed_conv"), "conv_transpose2d"),
    **dict.fromkeys(("bn", "batchnorm", "batchnorm2d", "batch_normalization"), "batch_norm"),
    **dict.fromkeys(("ln", "layernorm", "layer_normalization"), "layer_norm"),
    **dict.fromkeys(("rmsnorm",), "rms_norm"),
    **dict.fromkeys(("lrn", "local_response_normalization"), "local_response_norm"),
    **dict.fromkeys(("maxpool", "maxpool2d", "max_pooling", "max_pool"), "max_pool2d"),
    **dict.fromkeys(("avgpool", "avgpool2d", "average_pooling", "avg_pool", "mean_pool"), "avg_pool2d"),
    **dict.fromkeys(("gap", "global_average_pooling", "global_avgpool", "globalavgpool"), "global_avg_pool"),
    **dict.fromkeys(("shuffle",), "channel_shuffle"),
    **dict.fromkeys(("cat", "concatenate", "merge"), "concat"),
    **dict.fromkeys(("residual", "shortcut", "skip", "eltwise", "plus"), "add"),
    **dict.fromkeys(("multiply", "multiplication", "times", "scale"), "mul"),
    **dict.fromkeys(("sub", "minus"), "subtract"),
    **dict.fromkeys(("upsampling",), "upsample"),
    **dict.fromkeys(("interpolate", "resample"), "resize"),
    **dict.fromkeys(("padding", "reflection_pad", "replication_pad"), "pad"),
    **dict.fromkeys(("leakyrelu", "lrelu"), "leaky_relu"),
    **dict.fromkeys(("chunk",), "split"),
    **dict.fromkeys(("view",), "reshape"),
    **dict.fromkeys(("attention", "sdpa", "dot_product_attention"), "scaled_dot_product_attention"),
    **dict.fromkeys(("bmm", "batch_matmul"), "matmul"),
    **dict.fromkeys(("groupnorm", "gn"), "group_norm"),
    **dict.fromkeys(("instancenorm",), "instance_norm"),
    **dict.fromkeys(("token_embedding",), "embedding"),
    **dict.fromkeys(("rope", "rotary_embedding"), "rotary"),
    **dict.fromkeys(("drop_path", "droppath"), "stochastic_depth"),
    **dict.fromkeys(("space_to_depth",), "pixel_unshuffle"),
    **dict.fromkeys(("depth_to_space",), "pixel_shuffle"),
    **dict.fromkeys(("unfold", "patchify", "im2col"), "patches"),
    **dict.fromkeys(("fold", "unpatchify", "col2im"), "from_patches"),
    **dict.fromkeys(("slice",), "narrow"),
    **dict.fromkeys(("swapaxes",), "transpose"),
    **dict.fromkeys(("quantize",), "quantise"),
    **dict.fromkeys(("dequantize",), "dequantise"),
    **dict.fromkeys(("class_token", "learned_tensor", "position_embedding"), "parameter"),
    **dict.fromkeys(("reduce_mean",), "mean"),
    **dict.fromkeys(("reduce_sum",), "sum"),
    **dict.fromkeys(("max", "reduce_max"), "amax"),
    **dict.fromkeys(("rescale", "rescaling", "multiply_by"), "mul_scalar"),
    **dict.fromkeys(("add_number", "offset", "shift"), "add_scalar"),
    **dict.fromkeys(("clip", "hardtanh", "hard_tanh"), "clamp"),
    **dict.fromkeys(("pow",), "power"),
    **dict.fromkeys(("div",), "divide"),
}
"""An operator by what else it is called."""

ATTENTION = ("multihead_attention", "multi_head_attention", "self_attention", "multihead_self_attention", "mhsa", "mha")
"""What others have as one operator, and this language as a block of several."""

ABSENT = frozenset(
    (
        "einsum",
        "weight_norm",
        "spectral_norm",
        "roi_align",
        "nms",
        "grid_sample",
    )
)
"""Operators that others have and this language has not, so that nothing near in letters is meant."""

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("filters", "channels", "out_ch", "n_filters", "num_filters", "outputs"), ("out_channels",)),
    **dict.fromkeys(("units", "features", "num_classes", "out_dim"), ("out_features",)),
    **dict.fromkeys(("k", "kernel", "size", "ksize", "pool_size", "kernel_shape"), ("kernel_size",)),
    **dict.fromkeys(("s", "strides"), ("stride",)),
    **dict.fromkeys(("pad", "pads"), ("padding",)),
    **dict.fromkeys(("use_bias",), ("bias",)),
    **dict.fromkeys(("g", "group"), ("groups",)),
    **dict.fromkeys(("rate", "dilations", "dilation_rate"), ("dilation", "p")),
    **dict.fromkeys(("alpha", "slope"), ("negative_slope",)),
    **dict.fromkeys(("axis",), ("dim",)),
    **dict.fromkeys(("epsilon",), ("eps",)),
}
"""Arguments by what else they are called; the first that an operator has is meant."""


KEYS: Mapping[str, str] = {
    **dict.fromkeys(("layers", "model", "backbone", "architecture", "net"), "network"),
    **dict.fromkeys(("parameters", "params", "variables", "hyperparameters", "args"), "symbols"),
    **dict.fromkeys(("modules", "macros", "cells"), "blocks"),
    **dict.fromkeys(("inputs", "input_shape", "shape", "input_size"), "input"),
    **dict.fromkeys(("version",), "archspec"),
    **dict.fromkeys(("paper", "reference", "citation"), "source"),
    **dict.fromkeys(("description", "comment"), "doc"),
}
"""A key of a document by what else it is called."""


def key_meant(word: str, known: Container[str]) -> str:
    """What to say of a word that is no key, by its meaning; nothing if that is not known.

    >>> key_meant("layers", ["network", "input"])
    "; did you mean 'network'?"
    """
    found = KEYS.get(word.lower())
    return f"; did you mean '{found}'?" if found is not None and found in known else ""


def operator_meant(word: str) -> str:
    """What to say of a word that is no operator, by its meaning; nothing if that is not known.

    >>> operator_meant("Swish"), operator_meant("einsum")
    ("; did you mean 'silu'?", '; the language has no such operator, see docs/operators.md')
    """
    plain = word.lower().replace("-", "_")
    if plain in ATTENTION:
        return "; it is a block around scaled_dot_product_attention: see 'attention' in archspec show vit --format yaml"
    if plain in ABSENT:
        return "; the language has no such operator, see docs/operators.md"
    return f"; did you mean '{OPERATORS[plain]}'?" if plain in OPERATORS else ""


def argument_meant(word: str, allowed: list[str]) -> str:
    """What to say of a word that is no argument, by its meaning; nothing if that is not known.

    >>> argument_meant("filters", ["out_channels", "kernel_size"])
    "; did you mean 'out_channels'?"
    """
    found = next((name for name in ARGUMENTS.get(word.lower(), ()) if name in allowed), None)
    return f"; did you mean '{found}'?" if found else ""
