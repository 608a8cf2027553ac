"""Small networks at random, of every operator that the tables of the counters name, with settings at random."""

from random import Random

LENGTH = (2, 6)


def network(random: Random) -> str:
    """The text of one: steps on an image, then pooling and steps on a vector."""
    c, h, w = random.choice((2, 4, 6)), random.randint(5, 12), random.randint(5, 12)
    steps = [random.choice(ON_IMAGES)(random) for _ in range(random.randint(*LENGTH))]
    if random.random() < 0.6:
        steps.append(
            random.choice(("global_avg_pool", "global_avg_pool: {keepdim: true}", "global_max_pool", "flatten"))
        )
        if "keepdim" not in steps[-1]:
            steps += [random.choice(ON_VECTORS)(random) for _ in range(random.randint(1, 2))]
    lines = "".join(f"  - {step}\n" for step in steps)
    return f"archspec: 1\nname: drawn\ninput: [{c}, {h}, {w}]\nnetwork:\n{lines}"


def _settings(operator, **settings):
    return f"{operator}: {{{', '.join(f'{name}: {value}' for name, value in settings.items())}}}"


def _either(random):
    return random.choice(("true", "false"))


def _pair(random, low, high):
    return random.choice(
        (str(random.randint(low, high)), f"[{random.randint(low, high)}, {random.randint(low, high)}]")
    )


def _conv(random):
    return _settings(
        "conv2d",
        out_channels=random.choice((2, 4, 6, 8)),
        kernel_size=_pair(random, 1, 3),
        stride=_pair(random, 1, 2),
        padding=random.randint(0, 2),
        dilation=random.randint(1, 2),
        groups=random.choice((1, 1, 2)),
        bias=_either(random),
    )


def _transposed(random):
    return _settings(
        "conv_transpose2d",
        out_channels=random.choice((2, 4, 6)),
        kernel_size=_pair(random, 2, 3),
        stride=_pair(random, 1, 2),
        padding=random.randint(0, 1),
        groups=random.choice((1, 2)),
        bias=_either(random),
    )


def _norm(random):
    kept = random.choice(("true", "true", "false"))
    return _settings("batch_norm", affine=_either(random), track_running_stats=kept)


def _pool(random):
    return _settings(
        random.choice(("max_pool2d", "avg_pool2d")),
        kernel_size=_pair(random, 2, 3),
        stride=_pair(random, 1, 2),
        padding=random.randint(0, 1),
        ceil_mode=_either(random),
    )


def _adaptive(random):
    return f"adaptive_avg_pool2d: {{output_size: {_pair(random, 1, 4)}}}"


def _activation(random):
    return random.choice(
        ("relu", "relu6", "leaky_relu", "elu", "prelu", "sigmoid", "tanh", "gelu", "silu", "hard_sigmoid", "hard_swish")
    )


def _upsample(random):
    return f"upsample: {{scale_factor: 2, mode: {random.choice(('nearest', 'bilinear'))}}}"


def _other(random):
    return random.choice(
        (
            "local_response_norm: {size: 5}",
            "channel_shuffle: {groups: 2}",
            "zero_pad: {padding: 1}",
            "dropout",
            "identity",
        )
    )


def _join(random):
    kind = random.choice(("add", "mul", "concat"))
    branch = random.choice(("[relu]", "[sigmoid]", "[batch_norm]", "[{conv2d: {out_channels: 4, kernel_size: 1}}]"))
    other = "[{conv2d: {out_channels: 4, kernel_size: 1}}]" if "conv2d" in branch else "[identity]"
    third = f", {branch}" if random.random() < 0.3 else ""
    return f"{kind}: [{branch}, {other}{third}]"


def _linear(random):
    return f"linear: {{out_features: {random.randint(2, 9)}, bias: {_either(random)}}}"


def _on_vector(random):
    return random.choice(
        (
            "relu",
            "softmax",
            "log_softmax",
            "dropout",
            "layer_norm",
            "batch_norm",
            "layer_norm: {elementwise_affine: false}",
        )
    )


ON_IMAGES = (
    _conv,
    _conv,
    _conv,
    _transposed,
    _norm,
    _norm,
    _pool,
    _adaptive,
    _activation,
    _activation,
    _upsample,
    _other,
    _join,
    _join,
)
ON_VECTORS = (_linear, _linear, _on_vector)
