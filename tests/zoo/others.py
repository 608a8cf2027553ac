"""What networks of other packages come to: writes `others.json`, the record that the zoo's networks are held against.

`python tests/zoo/others.py` asks torchvision, pytorchcv, timm and transformers, on the meta device, where torch's
counter knows all; the packages and their versions stand in the record. Our own models have no part in it. The last two
are no part of the environment; a folder on PYTHONPATH that `pip install --target FOLDER --no-deps timm transformers
tokenizers regex pyyaml` fills does.
"""

import json
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

FILE = Path(__file__).with_name("others.json")

TORCHVISION = {  # its name: ours, and our symbols
    "mobilenet_v3_large": ("mobilenet_v3_large", {}),
    "mobilenet_v3_small": ("mobilenet_v3_small", {}),
    "shufflenet_v2_x0_5": ("shufflenet_v2", {"scale": "1/2"}),
    "shufflenet_v2_x1_0": ("shufflenet_v2", {}),
    "shufflenet_v2_x1_5": ("shufflenet_v2", {"scale": "3/2"}),
    "shufflenet_v2_x2_0": ("shufflenet_v2", {"scale": 2}),
    "mnasnet0_5": ("mnasnet", {"variant": "B1", "alpha": "1/2"}),
    "mnasnet1_0": ("mnasnet", {"variant": "B1"}),
    "mnasnet1_3": ("mnasnet", {"variant": "B1", "alpha": "1.3"}),
    "efficientnet_b0": ("efficientnet", {}),
    "efficientnet_b1": ("efficientnet", {"d": "1.1", "side": 240}),
    "efficientnet_b2": ("efficientnet", {"w": "1.1", "d": "1.2", "side": 288}),
    "efficientnet_b3": ("efficientnet", {"w": "1.2", "d": "1.4", "side": 300}),
    "efficientnet_b4": ("efficientnet", {"w": "1.4", "d": "1.8", "side": 380}),
    "efficientnet_b5": ("efficientnet", {"w": "1.6", "d": "2.2", "side": 456}),
    "efficientnet_b6": ("efficientnet", {"w": "1.8", "d": "2.6", "side": 528}),
    "efficientnet_b7": ("efficientnet", {"w": 2, "d": "3.1", "side": 600}),
    "densenet121": ("densenet", {}),
    "densenet169": ("densenet", {"depth": 169}),
    "densenet201": ("densenet", {"depth": 201}),
    "resnext50_32x4d": ("resnext", {}),
    "resnext101_32x8d": ("resnext", {"d": 8, "n3": 23}),
    "regnet_x_800mf": ("regnet", {"variant": "X800MF"}),
    "regnet_y_400mf": ("regnet", {"variant": "Y400MF"}),
    "convnext_tiny": ("convnext", {}),
    "convnext_small": ("convnext", {"variant": "small"}),
    "convnext_base": ("convnext", {"variant": "base"}),
    "convnext_large": ("convnext", {"variant": "large"}),
    "swin_t": ("swin", {}),
    "swin_s": ("swin", {"variant": "small"}),
    "swin_b": ("swin", {"variant": "base"}),
    "lraspp_mobilenet_v3_large": ("lraspp_mobilenet_v3", {"side": 520}),
    "ssdlite320_mobilenet_v3_large": ("ssdlite_mobilenet_v3", {"side": 320}),
    "vit_b_16": ("vit", {}),
    "vit_l_16": ("vit", {"variant": "large"}),
    "vit_h_14": ("vit", {"variant": "huge", "patch": 14}),
}
OVER_ANOTHER = {"lraspp_mobilenet_v3_large", "ssdlite320_mobilenet_v3_large"}
REGNETS = {
    "002": "200MF",
    "004": "400MF",
    "006": "600MF",
    "008": "800MF",
    "016": "1_6GF",
    "032": "3_2GF",
    "040": "4_0GF",
    "064": "6_4GF",
    "080": "8_0GF",
    "120": "12GF",
    "160": "16GF",
    "320": "32GF",
}
PYTORCHCV = {
    "ghostnet": ("ghostnet", {}),
    **{f"regnetx{size}": ("regnet", {"variant": f"X{name}"}) for size, name in REGNETS.items()},
    **{f"regnety{size}": ("regnet", {"variant": f"Y{name}"}) for size, name in REGNETS.items()},
}

TIMM = {
    "mobilevit_s": ("mobilevit", {"side": 256}),
    "mobilevit_xs": ("mobilevit", {"variant": "XS", "side": 256}),
    "mobilevit_xxs": ("mobilevit", {"variant": "XXS", "side": 256}),
    "deit_base_patch16_224": ("vit", {}),
}
BERT = {"num_hidden_layers": "layers", "hidden_size": "width", "num_attention_heads": "heads"}
TRANSFORMERS = {"BertModel": ("bert", {}), "BertModel, large": ("bert", {"layers": 24, "width": 1024, "heads": 16})}


def rows():
    """A record for each network."""
    for name, (spec, bindings) in TORCHVISION.items():
        fresh = {"weights": None, **({"weights_backbone": None} if name in OVER_ANOTHER else {})}
        make = partial(import_module("torchvision.models").get_model, name, **fresh)
        yield row("torchvision", name, spec, bindings, made_on_meta(make), picture(bindings))
    for package, module, make, networks in (
        ("pytorchcv", "pytorchcv.model_provider", "get_model", PYTORCHCV),
        ("timm", "timm", "create_model", TIMM),
    ):
        for name, (spec, bindings) in networks.items():
            model = made_on_meta(partial(getattr(import_module(module), make), name))
            yield row(package, name, spec, bindings, model, picture(bindings))
    for name, (spec, bindings) in TRANSFORMERS.items():
        package = import_module("transformers")
        given = {key: bindings[ours] for key, ours in BERT.items() if ours in bindings}
        config = package.BertConfig(**given, **({"intermediate_size": 4 * bindings["width"]} if bindings else {}))
        words = torch.zeros(1, 512, dtype=torch.long, device="meta")
        yield row("transformers", name, spec, bindings, made_on_meta(partial(package.BertModel, config)), words)


def picture(bindings):
    """An image of the side that our symbols name."""
    side = int(bindings.get("side", 224))
    return torch.zeros(1, 3, side, side, device="meta")


def row(package, name, spec, bindings, model, x):
    """What the model of another package comes to."""
    model.eval()
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        if hasattr(model, "anchor_generator"):  # what a detector does with boxes is none of its layers' work
            model.head(list(model.backbone(x).values()))
        else:
            model(x)
    return {
        "from": f"{package} {version(package)}",
        "model": name,
        "spec": spec,
        "set": bindings,
        "params": sum(value.numel() for value in model.parameters()),
        "macs": counter.get_total_flops() // 2,
    }


def made_on_meta(make):
    """A model without numbers; one that reads numbers while it is made is made with them first."""
    try:
        with torch.device("meta"):
            return make()
    except (NotImplementedError, RuntimeError):
        return make().to("meta")


def without_kernels():
    """Let torchvision be imported beside a torch of another build: its own kernels are not asked for here."""
    register = torch.library.register_fake

    def fake(op, *args, **kwargs):
        ours = isinstance(op, str) and op.startswith("torchvision::")
        return (lambda function: function) if ours else register(op, *args, **kwargs)

    torch.library.register_fake = fake


if __name__ == "__main__":
    without_kernels()
    lines = (f"  {json.dumps(found)}" for found in rows())
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
