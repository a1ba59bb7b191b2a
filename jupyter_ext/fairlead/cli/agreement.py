"""`fairlead check`: whether a pipeline gives the same as its notebook."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this file."""
    check = commands.add_parser(
        "check",
        help="run a notebook from top to bottom and as a pipeline, and show the first difference",
        description="Exit code 0: the same; 1: different; 2: refused before the start.",
    )
    check.add_argument("source", type=Path, metavar="NOTEBOOK")
    check.add_argument("--context", metavar="CONTEXT", help="where (default: the context in use)")
    check.set_defaults(action=check_)


def check_(given: argparse.Namespace) -> int:
    """Run both ways and say what is different."""
    # Loaded here: a kernel's client is more than the other commands need.
    from fairlead.agreement import check_notebook

    found = check_notebook(
        given.source,
        context=given.context,
        notice=lambda words: print(words, file=sys.stderr, flush=True),
    )
    print(found)
    return 0 if found.difference is None else 1
