"""`fairlead export | import`."""

from __future__ import annotations

import argparse
import shlex
import sys

from fairlead import exchange


def export(given: argparse.Namespace) -> int:
    """Write a notebook's pipeline in another form."""
    warnings = exchange.export(given.source, given.to, given.output, namespace=given.namespace)
    for warning in warnings:
        print(warning, file=sys.stderr)
    print(f"Wrote {given.output}.")
    return 0


def import_(given: argparse.Namespace) -> int:
    """Check a share file and write what is in it into a folder."""
    from fairlead.sharing import import_share

    notebook, missing = import_share(given.source, given.output, given.digest)
    print(f"Imported {notebook.parent}. Run it: fairlead run {shlex.quote(str(notebook))}")
    if missing:
        listed = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        print(
            f"Other versions than where it comes from are here: {listed}\n"
            f"  Try: pip install -r {shlex.quote(str(notebook.parent / 'requirements.txt'))}",
            file=sys.stderr,
        )
    return 0
