"""`fairlead export | import`."""

from __future__ import annotations

import argparse
import sys

from fairlead import exchange


def export(given: argparse.Namespace) -> int:
    """Write a notebook's pipeline in another form."""
    warnings = exchange.export(given.source, given.to, given.output, namespace=given.namespace)
    for warning in warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    print(f"Wrote {given.output}.")
    return 0
