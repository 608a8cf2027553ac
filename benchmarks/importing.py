"""How long a model's import takes beyond its export, for ResNet-152 and others of the zoo.

    python -m benchmarks.importing [NAME…]

Each network is made on the meta device and exported once; then it is read, its structure is recovered and proved, and
it is laid out as text. The last column is that time as a share of the export's, in the same run.
"""

import sys
import time

import archspec
from archspec.importing import document_of
from archspec.importing.exported import exported
from archspec.importing.layout import laid_out

NAMES = ("resnet18", "mobilenet_v2", "shufflenet", "inception_v3", "resnet152")


def main() -> None:
    """Print the table."""
    print(f"{'network':26} {'layers':>6} {'export [s]':>10} {'import [s]':>10} {'of export':>9} {'lines':>6}")
    for name in sys.argv[1:] or NAMES:
        arch = archspec.load(name)
        model = arch.to_torch(device="meta")
        begin = time.perf_counter()
        program = exported(model, (2, *arch.expand().input.shape[1:]), name)
        middle = time.perf_counter()
        found = document_of(program)
        text = laid_out(found.document, found.notes)
        seconds = time.perf_counter() - middle
        export = middle - begin
        layers, lines = len(found.names) - 1, len(text.splitlines())
        print(f"{name:26} {layers:6} {export:10.2f} {seconds:10.2f} {seconds / export:9.2f} {lines:6}")


if __name__ == "__main__":
    main()
