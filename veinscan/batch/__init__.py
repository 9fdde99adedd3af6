"""Many studies: found in folders, done by processes of this machine or by a Dask cluster.

The work of a study is one function of a small job (`export.work.do_job`), and
everything it gives lies in the folder of the export once it is done.  So it
does not matter who does it: a process, another machine, or the next run after
a kill.  The folder must be at the same path for all of them.
"""

from __future__ import annotations

from veinscan.batch.finding import Found as Found
from veinscan.batch.finding import find_studies as find_studies
from veinscan.batch.processes import run_in_processes as run_in_processes
from veinscan.errors import InvalidInputError
from veinscan.export.run import Runner, one_after_the_other

__all__ = ["Found", "find_studies", "run_in_processes", "runner_of"]


def runner_of(processes: int, scheduler: str | None) -> Runner:
    """Who does the jobs: a Dask cluster, this process, or several of this machine.

    Raises
    ------
    InvalidInputError
        A number of processes below 1.
    VeinscanError
        No cluster answers there, or `distributed` is not installed.
    """
    if scheduler is not None:
        from veinscan.batch.cluster import dask_runner

        return dask_runner(scheduler)
    if processes < 1:
        raise InvalidInputError(f"{processes} processes", do="give 1 or more")
    return one_after_the_other if processes == 1 else lambda jobs: run_in_processes(jobs, processes)
