"""A program that forks, as gunicorn does, around one client made before; run by the tests, ended by its exit code.

Arguments: the endpoint, a file with the key, and what the parent does before it forks.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

from omni_gateway.omni import OmniClient, OmniConfig

CHILDREN = 3


def read(client: OmniClient) -> None:
    assert client.resources.get("Clusters.omni.sidero.dev", "c1")["metadata"]["id"] == "c1"


def forked(client: OmniClient) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            read(client)
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main(endpoint: str, key_file: str, before: str) -> None:
    client = OmniClient(OmniConfig(endpoint, Path(key_file).read_text()))
    if before != "nothing":
        read(client)
    if before == "holding the lock":
        client._holder._lock.acquire()
    if before == "multiprocessing":
        child = multiprocessing.get_context("fork").Process(target=read, args=(client,))
        child.start()
        child.join()
        assert child.exitcode == 0
    assert [forked(client) for _ in range(CHILDREN)] == [0] * CHILDREN
    if before == "holding the lock":
        client._holder._lock.release()
    read(client)
    sys.stdout.write(f"still one connection in {os.getpid()}")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
