"""Studies done by an existing Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veinscan.batch.alone import do_alone
from veinscan.batch.processes import longest_first
from veinscan.errors import VeinscanError
from veinscan.export.extra import installed
from veinscan.export.run import Runner
from veinscan.export.work import Done, Job

CONNECT_S = 10.0
"""How long a Dask scheduler may take to answer."""
TRIES = 2
"""How often a study is begun again after a worker that had it died."""


def dask_runner(scheduler: str) -> Runner:
    """A runner on the cluster of a scheduler, as tcp://HOST:PORT; see `runner_of`."""
    distributed = installed("distributed")
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise VeinscanError(
            f"no Dask scheduler answers ({type(error).__name__})",
            where=scheduler,
            do="start it with 'dask scheduler', and workers with 'dask worker ADDRESS'",
        ) from error

    def run(jobs: Sequence[Job]) -> Iterator[Done]:
        with client:
            futures = {
                client.submit(do_alone, job, pure=False, retries=TRIES): job.item.name
                for job in longest_first(jobs)
            }
            for future in distributed.as_completed(list(futures), loop=client.loop):
                name = futures.pop(future)
                try:
                    done = future.result()
                except Exception as error:  # whatever a cluster has to say of a worker
                    done = Done(name, reason=f"the cluster could not do it ({type(error).__name__})")
                future.release()
                yield done

    return run
