"""Who sweeps the tiles: this process, the cores of this machine, or a cluster; by one word.

    local             the cores of this machine, as many as there are tiles for; local=1 is this process alone
    dask              the Dask cluster of this process's client, or a new one on this machine
    dask=ADDRESS      the cluster of a scheduler, dask=tcp://10.0.0.1:8786
    ray               the Ray cluster that this process is connected to, or a new one on this machine
    ray=ADDRESS       another one, ray=auto

joblib hands the tiles out; what they come to is the same whoever sweeps them, and comes in their order. Dask gives what
a worker had that is gone to another one.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from archspec.errors import ArchspecError, BindingError, MissingExtraError, suggestion
from archspec.extras import need

ENGINES = ("local", "dask", "ray")
ROUND = 64
"""How many tiles are given to Ray at a time."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Who does the work.

    Attributes:
        name: One of `ENGINES`.
        where: Of `local` how many processes, of the others an address; empty where nothing is said.
    """

    name: str
    where: str = ""

    def each(self, work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """What the work comes to for each job's arguments, in their order.

        Raises:
            ArchspecError: The cluster cannot be reached, or workers died of the same job again and again.
        """
        processes = self.processes(len(jobs))
        if processes == 1:
            yield from (work(*job) for job in jobs)
            return
        need("sweep", "joblib")
        from joblib import Parallel, delayed

        with self._backend(processes):
            calls = [delayed(work)(*job) for job in jobs]
            if self.name != "ray":
                yield from _named(Parallel(return_as="generator")(calls), self)
                return
            for first in range(0, len(calls), ROUND):  # its backend gives nothing until all is done
                yield from _named(Parallel()(calls[first : first + ROUND]), self)

    def processes(self, jobs: int) -> int:
        """How many processes of this machine work; of a cluster, 0."""
        if self.name != "local" or jobs < 2:
            return 1 if self.name == "local" else 0
        if not self.where:
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            return min(cores, jobs) if find_spec("joblib") else 1
        return min(int(self.where), jobs)

    def _backend(self, processes: int) -> AbstractContextManager[Any]:
        from joblib import parallel_config

        if self.name == "local":
            found: AbstractContextManager[Any] = parallel_config(backend="loky", n_jobs=processes)
            return found
        return _dask(self.where) if self.name == "dask" else _ray(self.where)


def engine(text: str) -> Engine:
    """An engine as it is written.

    Raises:
        BindingError: There is no such engine.

    >>> engine("dask=tcp://10.0.0.1:8786")
    Engine(name='dask', where='tcp://10.0.0.1:8786')
    """
    name, sign, where = text.strip().partition("=")
    if name not in ENGINES:
        raise BindingError(f"no engine '{name[:40]}'{suggestion(name, ENGINES)}")
    if sign and not where:
        raise BindingError(f"{name}= is followed by {'a number of processes' if name == 'local' else 'an address'}")
    if name == "local" and sign and not (where.isdecimal() and 0 < int(where) <= 4096):
        raise BindingError(f"local= is followed by a number of processes from 1 (got '{where[:40]}')")
    return Engine(name, where)


def _named(found: Iterable[Any], by: Engine) -> Iterator[Any]:
    """What comes, and the faults of an engine as sentences."""
    try:
        yield from found
    except ArchspecError:
        raise
    except Exception as error:
        if type(error).__name__ not in ("TerminatedWorkerError", "KilledWorker", "BrokenProcessPool"):
            raise
        raise ArchspecError(
            f"the workers of {by.name} were killed ({type(error).__name__}); what they had is kept"
        ) from error


@contextmanager
def _dask(address: str) -> Iterator[None]:
    """joblib's jobs on a Dask cluster."""
    need("cluster", "distributed")
    import distributed
    from joblib import parallel_config

    connect: Any = distributed.Client

    with ExitStack() as stack:
        try:
            client = connect(address, timeout="10s") if address else distributed.get_client()
        except (OSError, TimeoutError) as error:
            raise ArchspecError(f"no Dask scheduler answers at {address}: {error}") from None
        except ValueError:
            client = stack.enter_context(connect(dashboard_address=None))
        if address:
            stack.enter_context(client)
        stack.enter_context(parallel_config(backend="dask", n_jobs=-1))
        yield


@contextmanager
def _ray(address: str) -> Iterator[None]:
    """joblib's jobs on a Ray cluster."""
    if find_spec("ray") is None:
        raise MissingExtraError("this engine needs ray, which no extra brings: pip install ray")
    import ray
    from joblib import parallel_config
    from ray.util.joblib import register_ray

    if not ray.is_initialized():
        try:
            ray.init(address=address or None, include_dashboard=False, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise ArchspecError(f"no Ray cluster answers at {address}: {error}") from None
    register_ray()
    with parallel_config(backend="ray", n_jobs=-1):
        yield
