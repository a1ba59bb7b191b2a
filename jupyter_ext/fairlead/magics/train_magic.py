"""The `%%train` cell magic."""

from __future__ import annotations

import shlex
from typing import Any

from IPython.core.magic import Magics, cell_magic, magics_class

from fairlead.errors import FairleadError
from fairlead.magics.fairlead_magic import CellError, Parser
from fairlead.training.closure import Source
from fairlead.training.job import TrainingJob
from fairlead.training.options import add_train_options, read_train_options
from fairlead.training.train import train_code


@magics_class
class TrainMagics(Magics):
    """The magic that trains a cell."""

    @cell_magic
    def train(self, line: str, cell: str) -> TrainingJob | None:
        """Run this cell as a training job, with what it needs of the cells before it.

        %%train [--kind KIND] [--workers N] [--gpus N] [--processes N] [--name NAME] ...

        Shows the output of all replicas, waits for the end and raises where the job failed;
        interrupting the cell leaves the job going. `--detach` returns the job at once. The
        options are those of `fairlead train`.
        """
        parser: Any = Parser(prog="%%train", add_help=False)
        add_train_options(parser)
        parser.add_argument("--detach", action="store_true")
        try:
            given = parser.parse_args(shlex.split(line))
            job = train_code(Source("this cell", cell), **read_train_options(given))
            print(f"{job.kind} {job.name}", flush=True)
            if given.detach:
                return job
            _show(job)
        except FairleadError as error:
            raise CellError(str(error)) from None
        return None


def _show(job: TrainingJob) -> None:
    try:
        job.wait_begun(lambda message: print(f"Waiting: {message}", flush=True))
        for text in job.logs(follow=True):
            print(text, flush=True)
        job.wait()
    except KeyboardInterrupt:
        print(f"The job goes on: `fairlead jobs delete {job.name}` ends it.")
