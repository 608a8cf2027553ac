"""The command `archspec`: one file per verb, loaded when it is called, and not to be listed by `--help`.

Exit 0: fine; 1: findings; 2: wrong input, or an output that cannot be written. Errors go to standard error, as
sentences.
"""

import gc
import os
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from keyword import iskeyword
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import click

from archspec.cli.echo import echo_error, printable_faults, run_with_streams
from archspec.cli.verbs import VerbGroup
from archspec.errors import ArchspecError, suggestion
from archspec.extras import extra_of
from archspec.name_clash import refuse_other_distribution

VERBS = (
    "check",
    "compare",
    "compile",
    "compress",
    "count",
    "crossover",
    "distil",
    "draw",
    "ensemble",
    "evaluate",
    "explain",
    "explain-difference",
    "formula",
    "import",
    "measure",
    "memory",
    "plot",
    "reconcile",
    "reproduce",
    "schema",
    "search",
    "sensitivity",
    "show",
    "solve",
    "specialists",
    "sweep",
    "train",
    "verify",
    "watch",
    "weights",
    "zoo",
)


FLOORS = ("archspec.ops", "archspec.language")
"""What verbs stand on, loaded before the verb, the lowest first. Else they are the end of one long chain of imports, as
deep as a chunk of Python's stack is large, where each call maps memory and gives it back: a tenth of the time."""


class Verbs(VerbGroup):
    """A group whose commands are modules of this package, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in alphabetical order."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A verb as it is listed: its name, and what it says of itself."""
        return click.Command(name=cmd_name, help=_summary(_module(cmd_name))) if cmd_name in VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, loaded; an unknown one is refused with a suggestion."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no command '{args[0]}'{suggestion(args[0], VERBS)}", ctx)
        for floor in FLOORS:
            import_module(floor)
        name, listed, others = super().resolve_command(ctx, args)
        verb = listed and import_module(f"{__name__}.{_module(str(name))}").command
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return name, verb, others

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments before the verb."""
        with printable_faults():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: RET503  # what follows the errors exits
        """Run the verb; what the library refuses becomes one message and exit 2."""
        try:
            with printable_faults():
                return super().invoke(ctx)
        except ArchspecError as error:
            refusal: ArchspecError = error
        except ModuleNotFoundError as error:
            if (found := extra_of(error)) is None:
                raise
            refusal = found
        except BrokenPipeError:  # the reader, a pager say, has gone: nothing is left to say
            ctx.exit(0)
        echo_error(refusal)
        ctx.exit(2)


def _module(verb: str) -> str:
    """The module of a verb; what Python keeps for itself ends in _."""
    return f"{verb}_" if iskeyword(verb) else verb.replace("-", "_")


def _summary(module: str) -> str | None:
    """The docstring of a verb's command, from the module's code: run, the module loads what the verb works with."""
    code = SourceFileLoader(module, str(Path(__file__).with_name(f"{module}.py"))).get_code(module)
    defined = code.co_consts if code else ()
    command = next(part for part in defined if isinstance(part, CodeType) and part.co_name == "command")
    return FunctionType(command, {}).__doc__


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="archspec-nn", prog_name="archspec")
def app() -> None:
    """Costs of a neural network, exactly, from its paper's table.

    SPEC is a file, - for standard input, a name of the zoo (archspec zoo), or the folder of a run.
    """


def main() -> None:
    """Run the command line; until a verb is loaded nothing is garbage, and none is looked for."""
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # which are looked for in every package's metadata
    try:
        refuse_other_distribution()
    except ImportError as error:
        sys.exit(f"archspec: {error}")
    sys.exit(run_with_streams(app))
