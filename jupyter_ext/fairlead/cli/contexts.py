"""`fairlead contexts | use`."""

from __future__ import annotations

import argparse
import os
import sys

from fairlead.kube.choice import CONTEXT_VARIABLE
from fairlead.kube.use import context_lines, use_context


def contexts(_: argparse.Namespace) -> int:
    """List the contexts, the one in use marked."""
    print("\n".join(context_lines()))
    return 0


def use(given: argparse.Namespace) -> int:
    """Choose the context for everything that uses this data directory; without one, list them."""
    if given.context is None:
        return contexts(given)
    chosen = use_context(given.context, given.namespace, persist=True)
    print(f"Using {chosen.name} / {chosen.namespace} ({chosen.server}).")
    wins = os.environ.get(CONTEXT_VARIABLE)
    if wins and wins != chosen.name:
        print(f"Here {CONTEXT_VARIABLE}={wins} still counts before it.", file=sys.stderr)
    return 0
