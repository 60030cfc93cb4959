"""Functions of tests that are called in processes of their own.

A process is forked from a server that has imported the modules of the functions: to import them takes a second of
computing, for each process. The server has no thread and no connection.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

#: What the server imports at its start: the modules of the functions, and what these import at their first call.
MODULES = ["alembic.command", "psycopg", "tests.unit.http.test_yaml_body", "tests.unit.store.test_store"]
START_SECONDS = 120.0

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(MODULES)


def new_processes(number: int = 1) -> ProcessPoolExecutor:
    """Return an executor of new processes, which begin with their first calls at the same moment.

    As many calls as processes have to be submitted.
    """
    barrier = _CONTEXT.Barrier(number)
    return ProcessPoolExecutor(number, mp_context=_CONTEXT, initializer=barrier.wait, initargs=(START_SECONDS,))
