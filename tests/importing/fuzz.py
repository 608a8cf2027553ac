"""Damaged and hostile files through all of an import: `python tests/importing/fuzz.py onnx 0 2000`.

Each mutant is read and becomes a document whose text reads back, or is refused by an error of ours that says which
file, in 5 seconds and 1 GB. Says, as JSON, how many came how far, and the faults by kind, each with mutants that show
it; exit 1 if there are any. One mutant alone: `python tests/importing/fuzz.py onnx 17`, which prints the traceback.

A mutant is known by its kind and its number. A third are changed as bytes (cut, turned over, doubled), the others in
what they say: sizes, names, kinds of nodes, settings, what lies where, and how deep it is nested.
"""

import json
import random
import resource
import signal
import sys
import time
import traceback
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archspec.errors import ArchspecError
from archspec.importing import document_of
from archspec.importing.document import imported
from archspec.importing.layout import laid_out
from archspec.language import loads

SECONDS, MEMORY = 5, 2**30
SEED = 1804
NUMBERS = (0, 1, -1, 2, 3, 7, 16, 2**31 - 1, 2**31, 2**40, 2**63 - 1, -(2**63), 10**6)
WORDS = (
    "",
    "x",
    "input",
    "../../etc/passwd",
    "/etc/passwd",
    "a" * 5000,
    "\0",
    "é\u202e",
    "Conv",
    "Loop",
    "as_none",
    "1e999",
)

CFG = """
[net]
height=32
width=32
channels=3
[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=16
size=3
pad=1
activation=linear
[shortcut]
from=-2
activation=linear
[route]
layers=-1,2
[upsample]
stride=2
[avgpool]
[connected]
output=10
activation=linear
[softmax]
"""
PROTOTXT = """
name: "n"
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 32 dim: 32 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "b" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "s" type: "Scale" bottom: "c" top: "c" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "e" type: "Eltwise" bottom: "p" bottom: "p" top: "e" eltwise_param { operation: SUM } }
layer { name: "q" type: "Concat" bottom: "p" bottom: "e" top: "q" }
layer { name: "f" type: "InnerProduct" bottom: "q" top: "f" inner_product_param { num_output: 10 } }
layer { name: "o" type: "Softmax" bottom: "f" top: "o" }
"""


class TooSlow(BaseException):
    """A mutant took longer than `SECONDS`; no `except Exception` hides it."""


# ------------------------------------------------------------------ what is changed


def sound(kind: str) -> bytes:
    """The file that mutants of a kind are made of."""
    return {"onnx": _onnx, "pt2": _pt2, "cfg": CFG.encode, "prototxt": PROTOTXT.encode}[kind]()


def _onnx() -> bytes:
    import numpy as np
    from onnx import helper, numpy_helper

    def array(name: str, *shape: int) -> Any:
        return numpy_helper.from_array(np.full(shape, 0.5, "float32"), name)

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="/features/conv/Conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["c", "g", "h", "i", "j"], ["n"], name="/features/bn/BN"),
        helper.make_node("Clip", ["n", "low", "high"], ["r"]),
        helper.make_node("Reshape", ["r", "five"], ["r1"]),
        helper.make_node("Transpose", ["r1"], ["r2"], perm=[0, 2, 1, 3, 4]),
        helper.make_node("Reshape", ["r2", "four"], ["r3"]),
        helper.make_node("Split", ["r3"], ["s1", "s2"], axis=1, num_outputs=2),
        helper.make_node("Concat", ["s2", "s1"], ["k"], axis=1),
        helper.make_node("Add", ["k", "r"], ["a"]),
        helper.make_node("MaxPool", ["a"], ["m"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        helper.make_node("GlobalAveragePool", ["m"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["y"], transB=1),
    ]
    held = [array("w", 8, 3, 3, 3), array("b", 8), *(array(name, 8) for name in "ghij"), array("v", 5, 8)]
    held += [numpy_helper.from_array(np.array(v, "float32"), n) for n, v in (("low", 0), ("high", 6))]
    held += [
        numpy_helper.from_array(np.array(v, "int64"), n) for n, v in (("five", [2, 2, 4, 8, 8]), ("four", [2, 8, 8, 8]))
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [info("x", 1, [2, 3, 16, 16])], [info("y", 1, None)], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    return bytes(model.SerializeToString())


def _pt2() -> bytes:
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
            self.fc = nn.Linear(8, 5)

        def forward(self, x: Any) -> Any:
            x = torch.relu_(self.bn(self.conv(x)))
            a, b = x.chunk(2, 1)
            x = torch.cat((b, a), 1) + x
            return self.fc(x.mean((2, 3)))

    torch.manual_seed(SEED)
    stream = BytesIO()
    torch.export.save(torch.export.export(Net().eval(), (torch.zeros(2, 3, 8, 8),)), stream)
    return stream.getvalue()


def mutant(kind: str, number: int, whole: bytes) -> bytes:
    """The file of a number."""
    rng = random.Random(f"{SEED}:{kind}:{number}")  # noqa: S311  # mutants are no secrets
    if number % 3 == 0:
        return _bytes(whole, rng)
    return {"onnx": _model, "pt2": _archive, "cfg": _text, "prototxt": _text}[kind](whole, rng)


def _bytes(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 40))):
        if not found:
            break
        at, length = rng.randrange(len(found)), rng.choice((1, 1, 2, 8, 64, 1000))
        how = rng.randrange(6)
        if how == 0:
            del found[at:]
        elif how == 1:
            found[at] ^= 1 << rng.randrange(8)
        elif how == 2:
            del found[at : at + length]
        elif how == 3:
            found[at:at] = found[at : at + length]
        elif how == 4:
            found[at:at] = rng.randbytes(length)
        else:
            found[at : at + length] = bytes([rng.choice((0, 255, 127, 128))]) * length
    return bytes(found)


def _text(data: bytes, rng: random.Random) -> bytes:
    """A table of layers with other numbers, words and lines."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        how = rng.randrange(6)
        if how == 0:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif how == 1:
            del lines[at]
        elif how == 2:
            lines[at] = lines[at].replace(rng.choice("0123456789"), str(rng.choice(NUMBERS)), 1)
        elif how == 3:
            words = lines[at].split() or [""]
            words[rng.randrange(len(words))] = rng.choice((*WORDS, "{", "}", "[", "]", "=", '"', "#"))
            lines[at] = " ".join(words)
        elif how == 4:
            lines[at] = lines[at] * rng.choice((2, 50))
        else:
            lines[at] = rng.choice(("a {" * 500, "[" * 500, "layers=-1,-2,-3,99", "from=-99", "[route]", "[shortcut]"))
        lines = lines or [""]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _archive(data: bytes, rng: random.Random) -> bytes:
    """An archive whose texts say something else, or whose members are others."""
    stream = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        texts = [name for name in names if name.endswith(".json") and len(old.read(name)) > 40]
        chosen = rng.choice([*texts, *[name for name in texts if name.endswith("model.json")] * 4])
        for name in names:
            member = old.read(name)
            if name == chosen:
                tree = json.loads(member)
                for _ in range(rng.choice((1, 1, 2, 4))):
                    _tree(tree, rng)
                member = json.dumps(tree).encode("utf-8", "surrogatepass")
            elif rng.random() < 0.02:
                member = _bytes(member, rng)
            new.writestr(name, member)
    return stream.getvalue()


def _tree(tree: Any, rng: random.Random) -> None:
    """Something in a tree is another number or word, gone, doubled, or nested deeply."""
    sites = list(_sites(tree)) or [([0], 0)]
    holder, key = rng.choice(sites)
    how = rng.randrange(5)
    if how == 0:
        holder[key] = rng.choice((*NUMBERS, None, True, 0.5, [], {}))
    elif how == 1:
        holder[key] = rng.choice(WORDS)
    elif how == 2:
        del holder[key]
    elif how == 3:
        other, at = rng.choice(sites)
        if at in other if isinstance(other, dict) else at < len(other):
            holder[key] = json.loads(json.dumps(other[at]))
    else:
        deep: Any = 1
        for _ in range(400):
            deep = [deep]
        holder[key] = deep


def _sites(tree: Any) -> Any:
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from _sites(value)


def _model(data: bytes, rng: random.Random) -> bytes:
    """A model that says something else of its nodes, arrays and sizes."""
    import onnx

    model = onnx.ModelProto.FromString(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        try:
            rng.choice(MODEL)(model, rng)
        except Exception:  # noqa: S112  # protobuf cannot hold it, or what is to be changed is gone
            continue
    return bytes(model.SerializeToString())


def _size(model: Any, rng: random.Random) -> None:
    array = rng.choice(model.graph.initializer)
    if array.dims:
        array.dims[rng.randrange(len(array.dims))] = rng.choice(NUMBERS)


def _outside(model: Any, rng: random.Random) -> None:
    array = rng.choice(model.graph.initializer)
    array.ClearField("raw_data")
    array.data_location = 1
    for key, value in (
        ("location", rng.choice(WORDS)),
        ("offset", rng.choice(NUMBERS)),
        ("length", rng.choice(NUMBERS)),
    ):
        array.external_data.add(key=key, value=str(value))


def _type(model: Any, rng: random.Random) -> None:
    rng.choice(model.graph.initializer).data_type = rng.randrange(30)


def _kind(model: Any, rng: random.Random) -> None:
    others = (
        "Relu",
        "Loop",
        "If",
        "Scan",
        "Expand",
        "ConstantOfShape",
        "Tile",
        "Resize",
        "Pad",
        "Range",
        "Einsum",
        "LSTM",
    )
    rng.choice(model.graph.node).op_type = rng.choice((*(node.op_type for node in model.graph.node), *others))


def _wire(model: Any, rng: random.Random) -> None:
    node = rng.choice(model.graph.node)
    every = [name for each in model.graph.node for name in (*each.input, *each.output)]
    node.input[rng.randrange(len(node.input))] = rng.choice((*every, "", "nothing"))


def _setting(model: Any, rng: random.Random) -> None:
    node = rng.choice([each for each in model.graph.node if each.attribute])
    attribute = rng.choice(node.attribute)
    if attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
        if rng.random() < 0.3:
            attribute.ints.extend([1] * rng.choice((1, 1000)))
    else:
        attribute.i = rng.choice(NUMBERS)


def _nested(model: Any, rng: random.Random) -> None:
    import onnx

    inner = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["z"])], "i", [], [])
    for _ in range(rng.choice((1, 20, 60))):
        node = onnx.helper.make_node(
            "If", ["x"], ["z"], then_branch=inner, else_branch=inner if rng.random() < 0.05 else None
        )
        inner = onnx.helper.make_graph([node], "i", [], [])
    model.graph.node.insert(0, onnx.helper.make_node("If", ["x"], ["unused"], then_branch=inner))


def _shape(model: Any, rng: random.Random) -> None:
    array = rng.choice([each for each in model.graph.initializer if each.name in {"five", "four", "low", "high"}])
    import numpy as np
    from onnx import numpy_helper

    numbers = numpy_helper.to_array(array).copy()
    numbers.reshape(-1)[rng.randrange(numbers.size)] = np.clip(rng.choice(NUMBERS), -(2**62), 2**62)
    array.CopyFrom(numpy_helper.from_array(numbers, array.name))


def _input(model: Any, rng: random.Random) -> None:
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    how = rng.randrange(3)
    if how == 0:
        sizes[rng.randrange(len(sizes))].dim_value = rng.choice(NUMBERS)
    elif how == 1:
        sizes.add().dim_value = 3
    else:
        model.graph.input.add().CopyFrom(model.graph.input[0])


def _opset(model: Any, rng: random.Random) -> None:
    model.opset_import[0].version = rng.choice(NUMBERS)
    model.opset_import[0].domain = rng.choice(("", "", "ai.onnx", "com.microsoft"))


MODEL = (
    _size,
    _outside,
    _type,
    _kind,
    _kind,
    _wire,
    _wire,
    _setting,
    _setting,
    _setting,
    _nested,
    _shape,
    _shape,
    _input,
    _opset,
)


# ------------------------------------------------------------------ what is done with it


def tried(kind: str, file: Path) -> str:
    """How far a file came."""
    try:
        if kind in {"onnx", "pt2"}:
            from archspec.importing.archive import read_archive
            from archspec.importing.onnx_file import read_onnx

            found = document_of({"onnx": read_onnx, "pt2": read_archive}[kind](file))
        else:
            from archspec.importing.caffe import read_prototxt
            from archspec.importing.darknet import read_cfg

            found = imported({"cfg": read_cfg, "prototxt": read_prototxt}[kind](file))
        loads(laid_out(found.document, found.notes))
    except ArchspecError as error:
        if not str(error).strip() or len(str(error)) > 20_000:
            raise AssertionError("refused without a word, or with too many") from error
        return "refused"
    return "read"


def fuzz(kind: str, numbers: range, *, loud: bool = False) -> dict[str, Any]:
    """What came of the mutants of these numbers."""
    whole, stages, faults, slowest = sound(kind), Counter[str](), dict[str, list[int]](), (0.0, -1)
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"net.{kind}"
        for number in numbers:
            file.write_bytes(mutant(kind, number, whole))
            begin = time.process_time()
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            try:
                stages[tried(kind, file)] += 1
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                faults.setdefault(_place(error), []).append(number)
                if loud:
                    traceback.print_exc()
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            slowest = max(slowest, (round(time.process_time() - begin, 2), number))
    return {"kind": kind, "mutants": len(numbers), "stages": stages, "slowest": slowest, "faults": faults}


def _place(error: BaseException) -> str:
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "/archspec/" in each.filename]
    last = (frames or traceback.extract_tb(error.__traceback__))[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {last.name}: {str(error)[:100]}"


def bound() -> None:
    """The limits: so much more memory than the libraries have taken, so many seconds a mutant."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))

    def stop(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, stop)


def main(kind: str, start: str, end: str | None = None) -> int:
    sound(kind)  # which loads torch, for an archive
    bound()
    found = fuzz(kind, range(int(start), int(end) if end else int(start) + 1), loud=end is None)
    found["largest_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found["seconds"] = round(time.process_time(), 1)
    found["faults"] = {place: (len(numbers), numbers[:5]) for place, numbers in sorted(found["faults"].items())}
    print(json.dumps(found, indent=1))
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
