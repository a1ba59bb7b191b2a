"""`python -m fairlead_plane`: the control plane in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from pathlib import Path

from fairlead.settings import data_dir

from . import heap
from .certificates import CertificateError
from .instance import FolderError, HeldError, Lock, PortError
from .logfile import LogFile
from .store import StoreError

EXIT_HELD = 3
EXIT_FAILED = 4


def main(arguments: list[str] | None = None) -> int:
    """Run the control plane of a data directory until SIGTERM or SIGINT.

    Returns
    -------
    int
        0 after a stop; 3 when another plane has the directory; 4 when the plane cannot start
        (its port is taken, no certificates, a directory that cannot be written, a database that
        is damaged).
    """
    parser = argparse.ArgumentParser(prog="python -m fairlead_plane", description=main.__doc__)
    parser.add_argument("--data-dir", type=Path, help="default: FAIRLEAD_DATA_DIR, else the user's")
    parser.add_argument("--ready-fd", type=int, help="write a line here when requests are answered")
    options = parser.parse_args(arguments)
    folder: Path = (options.data_dir or data_dir()).absolute()

    heap.share()
    umask = os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        lock = Lock(folder / "lock")
        errors = LogFile(folder / "plane.log")
        logging.basicConfig(
            handlers=[errors],
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
    except HeldError as error:
        print(error, file=sys.stderr)
        return EXIT_HELD
    except OSError as error:
        print(FolderError(folder, error), file=sys.stderr)
        return EXIT_FAILED
    try:
        asyncio.run(_serve(folder, umask, options.ready_fd, errors))
    except (CertificateError, FolderError, PortError, StoreError) as error:
        logging.getLogger(__name__).error("%s", error)
        print(error, file=sys.stderr)
        return EXIT_FAILED
    except Exception:
        # The boundary of the process: whoever started it may not read its errors.
        logging.getLogger(__name__).exception("the plane failed")
        raise
    finally:
        lock.release()
    return 0


async def _serve(folder: Path, umask: int, ready_fd: int | None, errors: LogFile) -> None:
    # Imported here: a second start that finds the lock held should cost little.
    from .plane import Plane

    log = logging.getLogger(__name__)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # A closed terminal is no reason to end: the plane outlives whoever started it.
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    try:
        plane = Plane(folder, umask=umask)
    except OSError as error:
        raise FolderError(folder, error) from error

    async def ready() -> None:
        log.info("ready, process %d", os.getpid())
        if ready_fd is not None:
            with contextlib.suppress(BrokenPipeError):  # who waited has left; we go on
                os.write(ready_fd, b"ready\n")
            os.close(ready_fd)
            # Who waited for this line goes on, and reads no errors of ours any more.
            errors.take_stderr()
        # What is loaded by now stays: no collection has to look at it again.
        gc.collect()
        gc.freeze()

    await plane.run(stop, ready())


if __name__ == "__main__":
    sys.exit(main())
