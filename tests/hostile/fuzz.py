"""Mutants through all that is done with a document: `python tests/hostile/fuzz.py specs 0 20000`.

Each mutant is refused by an error of ours, or goes all the way, in 5 seconds a request and 1 GB, and what is written
parses. Says, as JSON, how many reached each stage, and the faults by kind, each with mutants that show it; exit 1 if
there are any. One mutant alone: `python tests/hostile/fuzz.py specs 17`, which prints its text and the traceback.
"""

import json
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mutants import mutant

from archspec import Architecture, compress, language, published
from archspec.compress import plan as plans
from archspec.errors import ArchspecError
from archspec.language.alphabet import COMMANDS, WRAPPERS
from archspec.report import formats, report_on
from archspec.report.formula import formulas
from archspec.report.reproduce import reproduce

SECONDS, MEMORY = 5, 2**30
TYPST_EVERY = 20
"""One mutant in so many is written as Typst too, whose parser takes longest."""

LANGUAGES = ("python", "numpy", "javascript")
NODE = """
for (const [index, text] of JSON.parse(require('fs').readFileSync(0)).entries())
  try { new (require('vm').Script)(text) } catch (error) { console.log(index, error.message) }
"""
"""Parses texts, and says which do not."""


class TooSlow(BaseException):
    """A request took longer than `SECONDS`; no `except Exception` of the library hides it."""


@dataclass
class Found:
    """What came of a run."""

    stages: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[int]] = field(default_factory=dict)
    slowest: tuple[float, int, str] = (0, 0, "")
    scripts: list[tuple[int, str]] = field(default_factory=list)


class Run:
    """One mutant on its way."""

    def __init__(self, found: Found, number: int, structure: Callable[[str, str], Any], *, loud: bool = False) -> None:
        self.found, self.number, self.structure, self.loud = found, number, structure, loud
        self.forms = [form for form in formats.names() if form != "typst" or number % TYPST_EVERY == 0]

    @contextmanager
    def request(self, what: str) -> Iterator[None]:
        """Something that is asked, in bounded time; what is raised and is not ours is noted, with its place."""
        start = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            yield
        except ArchspecError as error:
            self.found.refused[what] += 1
            if not str(error).strip():
                self.fault(f"{what}: refused without a word")
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.fault(f"{what}: {_kind(error)}")
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            self.found.slowest = max(self.found.slowest, (round(time.process_time() - start, 2), self.number, what))

    def fault(self, kind: str) -> None:
        self.found.faults.setdefault(kind, []).append(self.number)
        if self.loud:
            traceback.print_exc()
            print(kind)

    def reach(self, stage: str) -> None:
        self.found.stages[stage] += 1

    def printed(self, what: str, report: Any) -> None:
        """A report in every format."""
        for form in self.forms:
            with self.request(f"{what} --format {form}"):
                self.parsed(form, formats.written(report, form))

    def parsed(self, form: str, text: str) -> None:
        self.structure(form, text)
        if form == "javascript":
            self.found.scripts.append((self.number, text))


def _kind(error: BaseException) -> str:
    """The class of an error, and the last line of ours that it went through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/archspec/" in frame.filename]
    frames = frames or traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} {last.name}: {str(error)[:100]}"


# ------------------------------------------------------------------ what is done with a document of each kind


def specs(text: str, run: Run) -> None:
    arch = network = None
    with run.request("read"):
        document = language.loads(text, "mutant")
        run.reach("read")
        arch = Architecture(document)
        run.reach("checked")
    if arch is None:
        return
    with run.request("expand"):
        network = arch.expand()
        run.reach("expanded")
    if network is None:
        return
    with run.request("count"):
        table = network.count()
        run.printed("count", report_on(table))
        run.reach("counted")
    written = 0
    for ask in (_formula, _memory, _source):
        try:
            ask(arch, run)
            written += 1
        except ArchspecError:
            pass
    if written == 3:
        run.reach("written")


def _formula(arch: Architecture, run: Run) -> None:
    found = None
    with run.request("formula"):
        found = arch.formulas()
    if found is None:
        return
    run.printed("formula", formulas(found))
    for language_ in LANGUAGES:
        with run.request(f"formula --format {language_}"):
            run.parsed(language_, getattr(found[0], language_)())


def _memory(arch: Architecture, run: Run) -> None:
    with run.request("memory"):
        found = arch.memory()
        run.printed("memory", report_on(found))


def _source(arch: Architecture, run: Run) -> None:
    with run.request("source"):
        run.parsed("source", arch.source())


def plan(text: str, run: Run) -> None:
    found = None
    with run.request("read"):
        found = plans.loads(text, "mutant")
        run.reach("read")
    if found is None:
        return
    arch = NETWORKS.get(str(found.network)) or NETWORKS["lenet_5"]
    with run.request("predict"):
        prediction = compress.predict(arch, found)
        run.reach("predicted")
        run.printed("predict", report_on(prediction))
        run.reach("written")


def recipe(text: str, run: Run) -> None:
    from archspec.train import recipe as recipes

    with run.request("read"):
        found = recipes.loads(text, "mutant")
        run.reach("read")
        for step in (0, 1, 7, 10**6):
            assert 0 <= found.factor(step, 10) <= 1
        assert found.changed({}) == found
        run.reach("used")


def figures(text: str, run: Run) -> None:
    with TemporaryDirectory() as folder, run.request("read"):
        path = Path(folder) / "figures.yaml"
        path.write_text(text, "utf-8", "surrogatepass", newline="")
        paper = published.load(path)
        run.reach("read")
        with run.request("reproduce"):
            found = published.reproduce(paper, Path(folder))
            run.reach("reproduced")
            run.printed("reproduce", reproduce([found]))
            run.reach("written")


KINDS: dict[str, Callable[[str, Run], None]] = {"specs": specs, "plans": plan, "recipes": recipe, "figures": figures}
NETWORKS = {name: Architecture(language.load(name)) for name in ("lenet_5", "lenet_300_100", "alexnet", "squeezenet")}


def fuzz(kind: str, numbers: range, *, loud: bool = False) -> Found:
    """The mutants of a kind, one after the other."""
    found, structure = Found(), _structure()
    for number in numbers:
        text = mutant(kind, number)
        if loud:
            print(text)
        run = Run(found, number, structure, loud=loud)
        try:
            KINDS[kind](text, run)
        except ArchspecError as error:
            if loud:
                print(error)
        if len(found.scripts) > 500:
            _node(found)
    _node(found)
    return found


def _node(found: Found) -> None:
    """Hold JavaScript against Node, many texts at once."""
    scripts, found.scripts = found.scripts, []
    if not scripts or not shutil.which("node"):
        return
    given = json.dumps([text for _, text in scripts])
    said = subprocess.run(
        ["node", "-e", NODE], input=given, capture_output=True, text=True, check=True, preexec_fn=_unbound
    )
    for line in said.stdout.splitlines():
        index, _, message = line.partition(" ")
        found.faults.setdefault(f"javascript: {message}", []).append(scripts[int(index)][0])


def _structure() -> Callable[[str, str], Any]:
    """What parses an output in each format, which the tests of reports have."""
    spec = spec_from_file_location("reports", Path(__file__).parent.parent / "report/conftest.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.LATEX_COMMANDS |= {*COMMANDS, *WRAPPERS}  # which a mutant may call its symbols
    return module._structure  # type: ignore[no-any-return]


def _bound() -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    warnings.simplefilter("error")

    def stop(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, stop)


def _unbound() -> None:
    """Node reserves more memory than it uses."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def main(kind: str, start: str, end: str | None = None) -> int:
    _bound()
    numbers = range(int(start), int(end) if end else int(start) + 1)
    found = fuzz(kind, numbers, loud=end is None)
    answer = {
        "kind": kind,
        "mutants": len(numbers),
        "first": numbers.start,
        "stages": found.stages,
        "refused": found.refused,
        "slowest": found.slowest,
        "largest_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seconds": round(time.process_time(), 1),
        "faults": {kind: (len(seeds), seeds[:5]) for kind, seeds in sorted(found.faults.items())},
    }
    print(json.dumps(answer, indent=1))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
