"""Modules for the tests of imports, each with the operators that it must become."""

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # as everybody calls it


class Shuffle(nn.Module):
    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class HardSwish(nn.Module):
    def forward(self, x):
        return x * F.relu6(x + 3) / 6


class Swish(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x)


class GeluByHand(nn.Module):
    """In the orders in which people and exporters multiply."""

    def __init__(self, order):
        super().__init__()
        self.order = order

    def forward(self, x):
        curve = 1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
        if self.order == "tanh":
            return 0.5 * x * curve
        if self.order == "cubes":
            return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
        gate = 1 + torch.erf(x / math.sqrt(2.0))
        return {"first": 0.5 * x * gate, "last": x * gate * 0.5, "gate": x * (gate / 2)}[self.order]


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x):
        w = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.excite(F.relu(self.squeeze(w))))


class Halves(nn.Module):
    def forward(self, x):
        a, b = torch.chunk(x, 2, dim=1)
        return torch.cat((a, F.relu(b)), dim=1)


class Slices(nn.Module):
    def forward(self, x):
        return torch.cat((x[:, :3], torch.tanh(x[:, 3:])), dim=1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x):
        return F.relu(x + self.conv(x))


class Last(nn.Module):
    def forward(self, x):
        return x.narrow(1, 2, 4)[:, -1]


class Computes(nn.Module):
    """A function of one tensor."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


X = (8, 6, 6)


class Paths(nn.Module):
    """Branches that come from one list of modules, and so have one name."""

    def __init__(self):
        super().__init__()
        self.paths = nn.ModuleList([nn.Conv2d(8, 8, k, padding=k // 2) for k in (1, 3, 5)])

    def forward(self, x):
        return sum(path(x) for path in self.paths)


class OneHeadOfKeys(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x.narrow(1, 0, 1), x.narrow(1, 1, 1))


class Attends(nn.Module):
    def __init__(self, causal=False, **settings):
        super().__init__()
        self.attention, self.settings = nn.MultiheadAttention(8, 2, batch_first=True, **settings), {}
        if causal:
            self.settings = {"attn_mask": torch.full((5, 5), -math.inf).triu(1), "need_weights": False}

    def forward(self, x):
        return self.attention(x, x, x, **self.settings)[0]


ATTENTION = ["linear", *("split", "unflatten", "transpose") * 3, "scaled_dot_product_attention", "transpose", "flatten"]


class LayerNormByHand(nn.Module):
    def __init__(self, axis, divides):
        super().__init__()
        self.axis, self.divides = axis, divides
        self.weight, self.bias = nn.Parameter(torch.rand(8, 1, 1)), nn.Parameter(torch.rand(8, 1, 1))
        if axis == -1:
            self.weight, self.bias = nn.Parameter(torch.rand(8)), nn.Parameter(torch.rand(8))

    def forward(self, x):
        y = x - x.mean(self.axis, keepdim=True)
        variance = y.pow(2).mean(self.axis, keepdim=True) + 1e-6
        y = y / torch.sqrt(variance) if self.divides else y * torch.rsqrt(variance)
        return self.weight * y + self.bias


class Pixels(nn.Module):
    """A block of ConvNeXt as it is usually written: the scale of its layers before the channels go back, or behind."""

    def __init__(self, inside):
        super().__init__()
        self.norm, self.expand, self.project = nn.LayerNorm(8), nn.Linear(8, 32), nn.Linear(32, 8)
        self.scale = nn.Parameter(torch.rand(8) if inside else torch.rand(8, 1, 1))
        self.inside = inside

    def forward(self, x):
        y = self.project(F.gelu(self.expand(self.norm(x.permute(0, 2, 3, 1)))))
        return x + ((self.scale * y).permute(0, 3, 1, 2) if self.inside else self.scale * y.permute(0, 3, 1, 2))


PIXELS = ["layer_norm", "conv2d", "gelu", "conv2d", "parameter", "mul", "add"]

MODULES = {
    # name: (module, the input's sizes, operators; identities left out)
    "conv": (lambda: nn.Conv2d(8, 6, (3, 5), stride=2, padding=(1, 2), groups=2), X, ["conv2d"]),
    "conv_same": (lambda: nn.Conv2d(8, 6, 3, padding="same", bias=False), X, ["conv2d"]),
    "conv_transpose": (
        lambda: nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1),
        X,
        ["conv_transpose2d"],
    ),
    "batch_norm": (lambda: nn.BatchNorm2d(8, eps=1e-3), X, ["batch_norm"]),
    "linear": (lambda: nn.Linear(12, 5), (12,), ["linear"]),
    "linear_no_bias": (lambda: nn.Linear(12, 5, bias=False), (12,), ["linear"]),
    "linear_sequence": (lambda: nn.Linear(12, 5), (7, 12), ["linear"]),
    "relu6": (nn.ReLU6, X, ["relu6"]),
    "hardtanh": (lambda: nn.Hardtanh(0, 6), X, ["relu6"]),
    "hard_swish": (nn.Hardswish, X, ["hard_swish"]),
    "hard_swish_by_hand": (HardSwish, X, ["hard_swish"]),
    "hard_sigmoid": (nn.Hardsigmoid, X, ["hard_sigmoid"]),
    "silu": (nn.SiLU, X, ["silu"]),
    "silu_by_hand": (Swish, X, ["silu"]),
    "gelu": (nn.GELU, X, ["gelu"]),
    **{
        f"gelu_{order}": (lambda order=order: GeluByHand(order), X, ["gelu"])
        for order in ("first", "last", "gate", "tanh", "cubes")
    },
    "leaky_relu": (lambda: nn.LeakyReLU(0.1), X, ["leaky_relu"]),
    "elu": (nn.ELU, X, ["elu"]),
    "prelu": (lambda: nn.PReLU(8), X, ["prelu"]),
    "max_pool_up": (lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True), X, ["max_pool2d"]),
    "avg_pool": (lambda: nn.AvgPool2d(3, 2, 1), X, ["avg_pool2d"]),
    "avg_pool_inside": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), X, ["avg_pool2d"]),
    "avg_pool_whole": (lambda: nn.AvgPool2d(6), X, ["global_avg_pool"]),
    "global": (
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
        X,
        ["global_avg_pool", "linear"],
    ),
    "last": (Last, (8, 5), ["narrow", "select"]),
    "mean": (Mean, X, ["global_avg_pool"]),
    "adaptive": (lambda: nn.AdaptiveAvgPool2d(2), X, ["adaptive_avg_pool2d"]),
    "flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(288, 4)), X, ["flatten", "linear"]),
    "layer_norm": (lambda: nn.LayerNorm(12), (7, 12), ["layer_norm"]),
    "softmax": (lambda: nn.Softmax(1), (12,), ["softmax"]),
    "shuffle": (Shuffle, X, ["channel_shuffle"]),
    "shuffle_of_torch": (lambda: nn.ChannelShuffle(4), X, ["channel_shuffle"]),
    "halves": (Halves, X, ["split", "split", "relu", "concat"]),
    "slices": (Slices, X, ["split", "split", "tanh", "concat"]),
    "multihead_attention": (Attends, (5, 8), [*ATTENTION, "linear"]),
    "multihead_attention_causal": (lambda: Attends(causal=True), (5, 8), [*ATTENTION, "linear"]),
    "multihead_attention_no_bias": (lambda: Attends(bias=False), (5, 8), [*ATTENTION, "linear"]),
    "transformer_layer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0, activation="gelu", batch_first=True),
        (5, 8),
        [*ATTENTION, *["linear", "dropout"] * 3, "gelu", *["add", "layer_norm"] * 2],
    ),
    "paths": (Paths, X, ["conv2d", "conv2d", "conv2d", "add"]),
    "one_head_of_keys": (OneHeadOfKeys, X, ["split", "split", "scaled_dot_product_attention"]),
    "layer_norm_by_hand": (lambda: LayerNormByHand(-1, divides=True), (5, 8), ["layer_norm"]),
    "layer_norm_by_roots": (lambda: LayerNormByHand(-1, divides=False), (5, 8), ["layer_norm"]),
    "layer_norm_of_pixels": (lambda: LayerNormByHand(1, divides=True), X, ["layer_norm"]),
    "pixels": (lambda: Pixels(inside=True), X, PIXELS),
    "pixels_scaled_behind": (lambda: Pixels(inside=False), X, PIXELS),
    "gate": (Gate, X, ["global_avg_pool", "conv2d", "relu", "conv2d", "sigmoid", "mul"]),
    "residual": (Residual, X, ["conv2d", "add", "relu"]),
    "upsample": (lambda: nn.Upsample(scale_factor=2), X, ["upsample"]),
    "upsample_bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), X, ["upsample"]),
    "zero_pad": (lambda: nn.ZeroPad2d((0, 1, 0, 1)), X, ["zero_pad"]),
    "line": (lambda: Computes(lambda x: x * 0.17 + 3), X, ["mul_scalar", "add_scalar"]),
    "centred_pixels": (lambda: Computes(lambda x: x / 255 - 0.5), X, ["mul_scalar", "add_scalar"]),
    "less": (lambda: Computes(lambda x: 1 - x), X, ["mul_scalar", "add_scalar"]),
    "negative": (lambda: Computes(lambda x: -x), X, ["mul_scalar"]),
    "inverse": (lambda: Computes(lambda x: 2 / x.exp()), X, ["exp", "power", "mul_scalar"]),
    "clamp": (lambda: Computes(lambda x: x.clamp(-1, 0.3)), X, ["clamp"]),
    "clamp_from": (lambda: Computes(lambda x: x.clamp(min=0.1)), X, ["clamp"]),
    "clamp_to": (lambda: Computes(lambda x: x.clamp_max(0.1)), X, ["clamp"]),
    "clamp_relu6": (lambda: Computes(lambda x: x.clamp(0, 6)), X, ["relu6"]),
    "clamp_relu": (lambda: Computes(lambda x: torch.maximum(x, torch.tensor(0.0))), X, ["relu"]),
    "minimum": (lambda: Computes(lambda x: torch.minimum(torch.tensor(0.5), x)), X, ["clamp"]),
    "hardtanh_default": (nn.Hardtanh, X, ["clamp"]),
    "hard_sigmoid_by_hand": (lambda: Computes(lambda x: (x / 6 + 0.5).clamp(0, 1)), X, ["hard_sigmoid"]),
    "hard_sigmoid_of_keras": (
        lambda: Computes(lambda x: (0.2 * x + 0.5).clamp(0, 1)),
        X,
        ["mul_scalar", "add_scalar", "clamp"],
    ),
    "hard_swish_by_sixth": (lambda: Computes(lambda x: x * F.relu6(x + 3) * (1 / 6)), X, ["hard_swish"]),
    "amax": (lambda: Computes(lambda x: x.amax(1, keepdim=True)), X, ["amax"]),
    "residual_scale": (lambda: Computes(lambda x: x + 0.1 * x.tanh()), X, ["tanh", "mul_scalar", "add"]),
    "lrn": (lambda: nn.LocalResponseNorm(5, k=2), X, ["local_response_norm"]),
}
