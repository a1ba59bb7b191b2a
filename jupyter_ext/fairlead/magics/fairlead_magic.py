"""The `%fairlead` line magic."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class

from fairlead import client, exchange, widgets
from fairlead.documents import dump_pipeline
from fairlead.errors import FairleadError, NotFoundError, SpecError
from fairlead.kube.use import context_lines, use_context
from fairlead.pipelines.bindings import read_assignments
from fairlead.recurring.options import (
    act,
    add_schedule_options,
    add_schedules_options,
    make,
    tell,
)
from fairlead.sources import read_source


class CellError(Exception):
    """An error as a cell shows it: its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises where argparse would end the process: it is the kernel."""

    def error(self, message: str) -> NoReturn:
        """Raise the message as what it is: a wrong line."""
        raise SpecError(message, hint=self.format_usage().strip())


@magics_class
class FairleadMagics(Magics):
    """The magics of Fairlead."""

    @line_magic
    def fairlead(self, line: str) -> Any:
        """Run notebooks as pipelines and look into runs.

        %fairlead run [NOTEBOOK] [-p NAME=VALUE ...] [--detach]   this notebook by default
        %fairlead compile [NOTEBOOK] -o FILE
        %fairlead check [NOTEBOOK]   whether the pipeline gives what the notebook gives
        %fairlead export [NOTEBOOK] --to ir|kfp|kustomize|share -o PATH
        %fairlead schedule [NOTEBOOK] --cron "0 7 * * *" | --every 1h  [--time-zone ZONE] ...
        %fairlead schedules [enable | disable | delete SCHEDULE ...]
        %fairlead runs
        %fairlead show RUN
        %fairlead logs RUN [STEP]
        %fairlead stop RUN
        %fairlead retry RUN
        %fairlead contexts
        %fairlead use CONTEXT [-n NAMESPACE]   in this kernel

        `run` and `retry` show the live DAG and wait for the end, and raise where the run did not
        succeed; interrupting the cell leaves the run going. `run --detach` and `show` return the
        run at once. All but `compile`, `export`, `contexts` and `use` take `--context CONTEXT`.
        """
        try:
            given = _parser().parse_args(shlex.split(line))
            action: Callable[[argparse.Namespace], Any] = given.action
            return action(given)
        except FairleadError as error:
            raise CellError(str(error)) from None


def _run(given: argparse.Namespace) -> Any:
    source = given.source or _this_notebook()
    parameters = read_assignments(given.parameters)
    started = widgets.run(source, parameters, context=given.context)
    started.tell()
    return started if given.detach else _wait(started)


def _wait(started: widgets.LiveRun) -> None:
    try:
        started.show().raise_for_state()
    except KeyboardInterrupt:
        short = started.run_id[:8]
        print(f"The run goes on: `%fairlead show {short}` shows it, `stop {short}` ends it.")


def _check(given: argparse.Namespace) -> Any:
    # Loaded here: a kernel's client is more than the other commands need.
    from fairlead.agreement import check_notebook

    return check_notebook(given.source or _this_notebook(), context=given.context, notice=print)


def _compile(given: argparse.Namespace) -> None:
    found = read_source(given.source or _this_notebook())
    _warn(found.warnings)
    given.output.write_text(dump_pipeline(found.spec, found.platform))
    print(f"Wrote {given.output}: {len(found.spec['root']['dag']['tasks'])} steps.")


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        print(f"Warning: {warning}")


def _export(given: argparse.Namespace) -> None:
    source = given.source or _this_notebook()
    for warning in exchange.export(source, given.to, given.output):
        print(warning)
    print(f"Wrote {given.output}.")


def _schedule(given: argparse.Namespace) -> None:
    made = make(given, given.source or _this_notebook())
    _warn(made.warnings)
    print("\n".join(tell(made)))


def _schedules(given: argparse.Namespace) -> None:
    # A cell that says delete is asked for enough.
    for line in act(given, lambda _: None):
        print(line)


def _runs(given: argparse.Namespace) -> None:
    for found in client.list_runs(context=given.context):
        print(f"{found.run_id[:8]}  {found.state.capitalize():<9}  {found.name}")


def _show(given: argparse.Namespace) -> widgets.LiveRun:
    return widgets.get_run(given.run_id, context=given.context)


def _logs(given: argparse.Namespace) -> None:
    found = client.get_run(given.run_id, context=given.context)
    names = [node["id"] for node in found.view()["graph"]["nodes"]]
    for step in [given.step] if given.step else names:
        for line in found.logs(step):
            print(line if given.step else f"{step} | {line}")


def _stop(given: argparse.Namespace) -> None:
    found = client.get_run(given.run_id, context=given.context)
    found.stop()
    print(f"Stopping {found.name} ({found.run_id}).")


def _retry(given: argparse.Namespace) -> None:
    found = widgets.get_run(given.run_id, context=given.context)
    found.retry()
    _wait(found)


def _contexts(_: argparse.Namespace) -> None:
    print("\n".join(context_lines()))


def _use(given: argparse.Namespace) -> None:
    if given.context is None:
        _contexts(given)
        return
    chosen = use_context(given.context, given.namespace, persist=False)
    print(f"Using {chosen.name} / {chosen.namespace} ({chosen.server}).")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="%fairlead", add_help=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    run = commands.add_parser("run", add_help=False)
    run.add_argument("source", nargs="?", type=Path, metavar="NOTEBOOK")
    run.add_argument("-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE")
    run.add_argument("--detach", action="store_true")
    run.add_argument("--context")
    run.set_defaults(action=_run)

    check = commands.add_parser("check", add_help=False)
    check.add_argument("source", nargs="?", type=Path, metavar="NOTEBOOK")
    check.add_argument("--context")
    check.set_defaults(action=_check)

    compile_ = commands.add_parser("compile", add_help=False)
    compile_.add_argument("source", nargs="?", type=Path, metavar="NOTEBOOK")
    compile_.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE")
    compile_.set_defaults(action=_compile)

    export = commands.add_parser("export", add_help=False)
    export.add_argument("source", nargs="?", type=Path, metavar="NOTEBOOK")
    export.add_argument("--to", required=True, choices=exchange.FORMATS)
    export.add_argument("-o", dest="output", type=Path, required=True, metavar="PATH")
    export.set_defaults(action=_export)

    schedule = commands.add_parser("schedule", add_help=False)
    schedule.add_argument("source", nargs="?", type=Path, metavar="NOTEBOOK")
    add_schedule_options(schedule)
    schedule.set_defaults(action=_schedule)
    schedules = commands.add_parser("schedules", add_help=False)
    add_schedules_options(schedules)
    schedules.set_defaults(action=_schedules)
    for command in (schedule, schedules):
        command.add_argument("--context")

    commands.add_parser("contexts", add_help=False).set_defaults(action=_contexts)
    use = commands.add_parser("use", add_help=False)
    use.add_argument("context", nargs="?", metavar="CONTEXT")
    use.add_argument("-n", "--namespace", metavar="NAMESPACE")
    use.set_defaults(action=_use)

    runs = commands.add_parser("runs", add_help=False)
    runs.add_argument("--context")
    runs.set_defaults(action=_runs)
    for name, action in (("show", _show), ("logs", _logs), ("stop", _stop), ("retry", _retry)):
        command = commands.add_parser(name, add_help=False)
        command.add_argument("run_id", metavar="RUN")
        command.add_argument("--context")
        if name == "logs":
            command.add_argument("step", nargs="?")
        command.set_defaults(action=action)
    return parser


def _this_notebook() -> Path:
    """Path of the notebook whose kernel this is, as Jupyter Server tells its kernels."""
    path = os.environ.get("JPY_SESSION_NAME")
    if path and path.endswith(".ipynb") and Path(path).exists():
        return Path(path)
    raise NotFoundError(
        "Which notebook this is cannot be told here.", hint="%fairlead run NOTEBOOK"
    )
