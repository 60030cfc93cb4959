"""The simulator as a process of its own."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from omni_gateway.simulator.limits import limits
from omni_gateway.simulator.server import Simulator

log = logging.getLogger(__name__)

_STATE_DIR = Path(".omni-gateway")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the process's exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if options.db:
        Path(options.db).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Blocked in every thread from here on and waited for below: a handler that sets an event can lock itself out, when
    # the signal comes just as the main thread begins to wait for that event.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        simulator = Simulator(
            fleet=options.fleet,
            db=options.db,
            speed=options.speed,
            key_file=options.key_file,
            faults=bool(options.admin_listen),
            boot_ids=options.boot_ids,
            break_glass=options.break_glass,
        )
    except (sqlite3.Error, OSError) as error:
        log.error(
            "the state in %s or the key in %s cannot be used: %s", options.db or "memory", options.key_file, error
        )
        return 1
    try:
        address = simulator.start(options.listen, options.admin_listen, options.http_listen)
    except OSError as error:
        log.error("%s", error)
        simulator.stop()
        return 1
    # The objects of the start stay for good; without this each full collection scans them, for a second.
    gc.freeze()
    log.info(
        "simulator of Omni, no real machines: http://%s, %d machines, %g x life's speed, state in %s, admin key in %s",
        *(address, options.fleet, options.speed, options.db or "memory", options.key_file),
    )
    log.info("what it does not do (docs/simulator.md): %s", "; ".join(limits()))
    if simulator.http_address:
        log.info("Omni's HTTP gateway: http://%s/api", simulator.http_address)
    if simulator.admin_address:
        log.warning("faults on demand are taken, from anybody on this machine, at %s", simulator.admin_address)
    if options.ready_file is not None:
        _write_whole(options.ready_file, "".join(f"{at}\n" for at in (address, simulator.admin_address) if at))
    signal.sigwait(ends)
    simulator.stop()
    return 0


def _write_whole(path: Path, text: str) -> None:
    """Write a file atomically."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="ascii")
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="omni-gateway simulator",
        description="An Omni without machines: real gRPC, Omni's rules and lifecycles, a made-up fleet.",
    )
    add = parser.add_argument
    add("--listen", default="127.0.0.1:50180", metavar="HOST:PORT", help="port 0 takes a free one (%(default)s)")
    add("--fleet", type=_count, default=8, metavar="N", help="machines to make up (%(default)s)")
    add("--db", metavar="FILE", help="keep the state in this file (default: in memory)")
    add("--speed", type=_speed, default=1.0, metavar="X", help="seconds of a machine's life per real one (%(default)s)")
    add("--key-file", type=Path, default=_STATE_DIR / "simulator.key", metavar="FILE", help="admin's key (%(default)s)")
    add("--ready-file", type=Path, metavar="FILE", help="write host:port here once serving (the admin's on a line 2)")
    add(
        "--admin-listen",
        default="",
        metavar="HOST:PORT",
        help="take faults on demand here, loopback only (default: off)",
    )
    add("--http-listen", default="", metavar="HOST:PORT", help="serve Omni's HTTP gateway here (default: off)")
    add(
        "--no-boot-ids",
        dest="boot_ids",
        action="store_false",
        help="machines do not tell which boot they are in, as on Omni 1.7",
    )
    add("--break-glass", action="store_true", help="give admins kubeconfigs and talosconfigs that bypass Omni")
    add("--log-level", default="info", choices=("debug", "info", "warning", "error"), help="(%(default)s)")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100_000:
        raise argparse.ArgumentTypeError("0 to 100000")
    return number


def _speed(text: str) -> float:
    number = float(text)
    if not 0 < number <= 10_000:
        raise argparse.ArgumentTypeError("above 0, at most 10000")
    return number


if __name__ == "__main__":
    sys.exit(main())
