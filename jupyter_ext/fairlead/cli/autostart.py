"""`fairlead autostart enable | disable | status`."""

from __future__ import annotations

import argparse

from fairlead.kube import autostart


def enable(_: argparse.Namespace) -> int:
    """Let the control plane start with the session."""
    now = autostart.enable()
    print(f"Wrote {now.path}.")
    print("The control plane starts with your next session. To start it now: fairlead up")
    return 0


def disable(_: argparse.Namespace) -> int:
    """Take that back."""
    before = autostart.status()
    now = autostart.disable()
    print(f"Removed {now.path}." if before.enabled else "It does not start with the session.")
    return 0


def status(_: argparse.Namespace) -> int:
    """Say whether it does; exit code 1 where it does not."""
    now = autostart.status()
    if not now.enabled:
        print("The control plane does not start with the session. To have that:")
        print("  fairlead autostart enable")
        return 1
    print(f"The control plane starts with the session: {now.path}")
    if now.stale:
        print("It starts another Python or data directory than this one. To change that:")
        print("  fairlead autostart enable")
    return 0
