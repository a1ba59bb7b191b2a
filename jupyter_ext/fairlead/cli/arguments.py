"""Commands and their arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from fairlead import exchange
from fairlead._version import __version__
from fairlead.cli import (
    agreement,
    autostart,
    cleanup,
    contexts,
    exchanges,
    history,
    plane,
    runs,
    schedules,
    training,
)
from fairlead.recurring.options import add_schedule_options, add_schedules_options


def build_parser() -> argparse.ArgumentParser:
    """Build the parser; `action` of its result takes the parsed arguments and runs the command."""
    parser = argparse.ArgumentParser(
        prog="fairlead", description="Notebooks as pipelines, on this machine or on a cluster."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="run the bundled example notebook")
    demo.set_defaults(action=runs.demo)

    run = commands.add_parser(
        "run",
        help="run a notebook, a compiled pipeline or a pipeline of Elyra, and show its output",
        description="Exit code 0: Succeeded; 1: Failed or stopped; 2: refused before the start.",
    )
    run.add_argument("source", type=Path, metavar="NOTEBOOK|PIPELINE")
    run.add_argument(
        "-p",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a parameter; may be given several times",
    )
    run.add_argument("--name", help="display name of the run (default: the file's name)")
    run.add_argument("--experiment", metavar="NAME", help="experiment that it belongs to")
    run.add_argument(
        "--pipeline-root",
        metavar="URI",
        help="where its artifacts go: a folder, s3://bucket/prefix, gs:// or minio://",
    )
    run.set_defaults(action=runs.run)

    compile_ = commands.add_parser(
        "compile", help="write the KFP v2 pipeline spec of a notebook or of a pipeline of Elyra"
    )
    compile_.add_argument("source", type=Path, metavar="NOTEBOOK")
    compile_.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE")
    compile_.add_argument(
        "--component", metavar="NAME", help="only this function, as a component of its own"
    )
    compile_.set_defaults(action=runs.compile_)

    agreement.add_commands(commands)

    export = commands.add_parser(
        "export",
        help="write a notebook's pipeline in a form that others take",
        description="ir: KFP's pipeline spec. kfp: Python of the kfp package. kustomize: a folder "
        "for GitOps. share: one file that another machine imports and runs.",
    )
    export.add_argument("source", type=Path, metavar="NOTEBOOK")
    export.add_argument("--to", required=True, choices=exchange.FORMATS)
    export.add_argument(
        "-o", dest="output", type=Path, required=True, metavar="PATH", help="file, or folder"
    )
    export.add_argument(
        "-n", "--namespace", default="", help="of the objects, with kustomize (default: kubeflow)"
    )
    export.set_defaults(action=exchanges.export)

    import_ = commands.add_parser(
        "import",
        help="check a share file and write its notebook, modules and data into a folder",
        description="Refused where it is not as it was written.",
    )
    import_.add_argument("source", type=Path, metavar="FILE")
    import_.add_argument(
        "-o", dest="output", type=Path, metavar="FOLDER", help="default: the notebook's name"
    )
    import_.add_argument(
        "--digest", default="", metavar="sha256:...", help="what its digest must be"
    )
    import_.set_defaults(action=exchanges.import_)

    schedule = commands.add_parser(
        "schedule",
        help="run a notebook or a pipeline again and again",
        description="The pipeline is kept as it is now: after a change, schedule it again.",
    )
    schedule.add_argument("source", type=Path, metavar="NOTEBOOK|PIPELINE")
    add_schedule_options(schedule)
    schedule.set_defaults(action=schedules.schedule)

    every = commands.add_parser(
        "schedules", help="list recurring runs with their next times; enable, disable, delete them"
    )
    add_schedules_options(every)
    every.set_defaults(action=schedules.schedules)

    listing = commands.add_parser("runs", help="list runs, newest first")
    listing.add_argument("-l", "--label", default="", help="only those that have it: team=vision")
    listing.set_defaults(action=runs.runs)

    show = commands.add_parser("show", help="print a run's steps, their states and metrics")
    _add_run(show)
    show.set_defaults(action=history.show)

    artifacts = commands.add_parser(
        "artifacts",
        help="list what a run's steps made, or download one of it",
        description="With a step and a name it is downloaded; a remote folder as a .tar.gz.",
    )
    _add_run(artifacts)
    artifacts.add_argument("step", nargs="?", metavar="STEP", help="only this step")
    artifacts.add_argument("name", nargs="?", metavar="NAME", help="download this one")
    artifacts.add_argument(
        "-o",
        dest="output",
        type=Path,
        default=Path("."),
        metavar="PATH",
        help="file or folder for it (default: here)",
    )
    artifacts.set_defaults(action=history.artifacts)

    delete = commands.add_parser("delete", help="delete runs, their pods and their history")
    delete.add_argument("run_ids", nargs="+", metavar="RUN", help="id, or the beginning of it")
    delete.add_argument("-y", "--yes", action="store_true", help="do not ask")
    delete.set_defaults(action=history.delete)

    logs = commands.add_parser("logs", help="print the output of a run's steps")
    _add_run(logs)
    logs.add_argument("step", nargs="?", help="only this step")
    logs.set_defaults(action=runs.logs)

    stop = commands.add_parser("stop", help="stop a run")
    _add_run(stop)
    stop.set_defaults(action=runs.stop)

    retry = commands.add_parser("retry", help="run again what failed in a run, and show its output")
    _add_run(retry)
    retry.set_defaults(action=runs.retry)

    for command in (
        demo,
        run,
        schedule,
        every,
        listing,
        show,
        artifacts,
        logs,
        stop,
        retry,
        delete,
    ):
        command.add_argument(
            "--context", metavar="CONTEXT", help="where (default: the context in use)"
        )

    cleanup.add_commands(commands)
    training.add_commands(commands)

    known = commands.add_parser("contexts", help="list the contexts, the one in use marked")
    known.set_defaults(action=contexts.contexts)

    use = commands.add_parser(
        "use",
        help="choose where runs go: a context of a kubeconfig, or `local`",
        description="Asks the server first; where it does not answer, nothing changes.",
    )
    use.add_argument("context", nargs="?", metavar="CONTEXT", help="without it, list them")
    use.add_argument("-n", "--namespace", metavar="NAMESPACE", help="default: that of the context")
    use.set_defaults(action=contexts.use)

    up = commands.add_parser("up", help="start the embedded control plane")
    up.set_defaults(action=plane.up)

    down = commands.add_parser("down", help="stop the embedded control plane and its pods")
    down.add_argument("-y", "--yes", action="store_true", help="do not ask when pods still run")
    down.set_defaults(action=plane.down)

    status = commands.add_parser("status", help="say whether the control plane runs, and where")
    status.set_defaults(action=plane.status)

    starts = commands.add_parser(
        "autostart",
        help="let the control plane start with your session: for recurring runs",
        description="A systemd user unit on Linux, a launchd agent on macOS.",
    ).add_subparsers(metavar="VERB", required=True)
    for verb, action, words in (
        ("enable", autostart.enable, "write it"),
        ("disable", autostart.disable, "remove it"),
        ("status", autostart.status, "say whether it is there; exit code 1 where it is not"),
    ):
        starts.add_parser(verb, help=words).set_defaults(action=action)

    kubeconfig = commands.add_parser(
        "kubeconfig",
        help="print the path of the control plane's kubeconfig, starting it if need be",
    )
    kubeconfig.set_defaults(action=plane.kubeconfig)
    return parser


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("run_id", metavar="RUN", help="id of the run, or the beginning of it")
