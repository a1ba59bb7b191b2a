"""Credential plugins: commands that log in, as `aws`, `gke-gcloud-auth-plugin` or `kubelogin`.

Source of the protocol: `client.authentication.k8s.io` v1 and v1beta1 (ExecCredential).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from fairlead.errors import ClusterError
from fairlead.kube.kubeconfig import Entry

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_TIMEOUT_S = 120
"""A plugin may open a browser and wait for its user."""
_LONGEST_WORDS = 500


def run_plugin(user: Entry, cluster: Entry) -> dict[str, Any]:
    """Run the command of a user entry.

    Returns
    -------
    dict
        The ExecCredential's status, and `expires`: seconds since the epoch, or None.

    Raises
    ------
    ClusterError
        It is missing, fails, takes too long, or answers something else. The message holds what it
        wrote to its standard error, never its answer.
    """
    spec = user.values["exec"]
    version, command = str(spec.get("apiVersion") or ""), str(spec.get("command") or "")
    if version not in _VERSIONS:
        raise ClusterError(
            f"The credential plugin '{command}' in {user.file} speaks {version or 'no version'}; "
            f"known are {' and '.join(_VERSIONS)}."
        )
    words = [_program(command, user.file), *map(str, spec.get("args") or ())]
    environment = {**os.environ}
    for variable in spec.get("env") or ():
        environment[str(variable["name"])] = str(variable["value"])
    interactive = spec.get("interactiveMode") != "Never" and sys.stdin.isatty()
    if spec.get("interactiveMode") == "Always" and not interactive:
        raise ClusterError(
            f"The credential plugin '{command}' has to ask its user, and there is no terminal.",
            hint="Log in with it in a terminal first.",
        )
    environment["KUBERNETES_EXEC_INFO"] = json.dumps(
        _exec_info(version, cluster, spec, interactive=interactive)
    )
    answer = _run(words, environment, command, spec, interactive=interactive)
    return _status(answer, version, command)


def _program(command: str, file: Path) -> str:
    """Find it: a path counts from the kubeconfig's folder, a bare name is looked up in PATH."""
    return str(file.parent / command) if os.sep in command else command


def _exec_info(
    version: str, cluster: Entry, spec: dict[str, Any], *, interactive: bool
) -> dict[str, Any]:
    told: dict[str, Any] = {"interactive": interactive}
    if spec.get("provideClusterInfo"):
        values = cluster.values
        info = {
            key: values[key]
            for key in ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
            if values.get(key)
        }
        if values.get("certificate-authority-data"):
            info["certificate-authority-data"] = values["certificate-authority-data"]
        for extension in values.get("extensions") or ():
            if extension.get("name") == "client.authentication.k8s.io/exec":
                info["config"] = extension.get("extension")
        told["cluster"] = info
    return {"apiVersion": version, "kind": "ExecCredential", "spec": told}


def _run(
    words: list[str],
    environment: dict[str, str],
    command: str,
    spec: dict[str, Any],
    *,
    interactive: bool,
) -> bytes:
    try:
        done = subprocess.run(
            words,
            env=environment,
            stdin=None if interactive else subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as error:
        hint = " ".join(str(spec.get("installHint") or "").split())
        raise ClusterError(
            f"The credential plugin '{command}' is not installed.",
            hint=hint or f"Install '{command}', which the kubeconfig names.",
        ) from error
    except OSError as error:
        raise ClusterError(
            f"The credential plugin '{command}' cannot be run: {error.strerror}."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(
            f"The credential plugin '{command}' gave no answer within {_TIMEOUT_S} s.",
            hint="Log in with it in a terminal first.",
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-_LONGEST_WORDS:]
        raise ClusterError(
            f"The credential plugin '{command}' failed with exit code {done.returncode}"
            + (f": {said}" if said else "."),
            hint="Log in again with the tool that the cluster uses.",
        )
    return done.stdout


def _status(answer: bytes, version: str, command: str) -> dict[str, Any]:
    try:
        credential: Any = json.loads(answer)
        status = dict(credential["status"])
        got = credential["apiVersion"]
        expires = status.get("expirationTimestamp")
        status["expires"] = (
            datetime.fromisoformat(expires.replace("Z", "+00:00")).timestamp() if expires else None
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not chained: the cause would quote the answer, which holds the token.
        raise ClusterError(
            f"The credential plugin '{command}' did not answer with an ExecCredential."
        ) from None
    if got != version:
        raise ClusterError(
            f"The credential plugin '{command}' answered in {got}; the kubeconfig asks for "
            f"{version}."
        )
    if not status.get("token") and not status.get("clientCertificateData"):
        raise ClusterError(
            f"The credential plugin '{command}' gave neither a token nor a certificate."
        )
    return status
