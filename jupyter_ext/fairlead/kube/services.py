"""Services that are reached at a URL of their own rather than through the API server.

A kubeconfig is enough for all services, through the API server's proxy. Some clusters want another
way: KFP with users, for example, knows them only behind its own gateway, or inside of the cluster.

Set by the environment: `FAIRLEAD_KFP_URL` and `FAIRLEAD_KFP_TOKEN_FILE` for Kubeflow Pipelines;
inside of a pod also `KF_PIPELINES_ENDPOINT` and `KF_PIPELINES_SA_TOKEN_PATH`, which Kubeflow sets
in its notebooks. Or per context and service in `services.yaml` of the data directory:

    my-cluster:
      kubeflow/ml-pipeline:
        url: https://kubeflow.example.com/pipeline
        token_file: ~/.kubeflow-token

Where a login page stands before it, as Dex's does, `login` says who logs in, and where the
password is: in a variable (`password_env`), in a Secret (`password_secret: NAMESPACE/NAME`, under
`password`), or nowhere: then it is asked for. For pipelines also `FAIRLEAD_KFP_USERNAME` and
`FAIRLEAD_KFP_PASSWORD`.

    my-cluster:
      kubeflow/ml-pipeline:
        url: https://kubeflow.example.com/pipeline
        login: {username: user@example.com, password_env: KUBEFLOW_PASSWORD}
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fairlead.errors import SpecError
from fairlead.kube.contexts import EMBEDDED_CONTEXT, IN_CLUSTER_CONTEXT
from fairlead.kube.form_login import FormLogin
from fairlead.names import PIPELINES_NAMESPACE, PIPELINES_SERVICE
from fairlead.settings import data_dir

_FIELDS = {"url", "token_file", "certificate_authority", "login"}
_LOGIN_FIELDS = {"username", "password_env", "password_secret"}
_TOKEN_PATH = Path("/var/run/secrets/kubeflow/pipelines/token")
"""Where Kubeflow's notebooks have a token for pipelines, of the audience pipelines.kubeflow.org."""


IN_CLUSTER_URL = f"http://{PIPELINES_SERVICE}.{PIPELINES_NAMESPACE}.svc.cluster.local:8888"


@dataclass(frozen=True)
class Address:
    """Where a service is.

    Attributes
    ----------
    url : str
        Base URL without a trailing slash.
    token_file : Path or None
        Holds a bearer token; read for each request, since it may be renewed.
    certificate_authority : Path or None
        PEM file; default: those of the system.
    login : FormLogin or None
        Who fills in the login page that stands before it.
    """

    url: str
    token_file: Path | None = None
    certificate_authority: Path | None = None
    login: FormLogin | None = None


def direct_address(context: str, namespace: str, service: str) -> Address | None:
    """Return the URL that is set for a service, `None` where it is behind the API server.

    Parameters
    ----------
    service : str
        `name`, `name:port` or `scheme:name:port`.

    Raises
    ------
    SpecError
        What is set is no URL, or the file cannot be read.
    """
    parts = service.split(":")
    name = parts[1] if len(parts) == 3 else parts[0]
    key = f"{namespace}/{name}"
    if key == f"{PIPELINES_NAMESPACE}/{PIPELINES_SERVICE}" and context != EMBEDDED_CONTEXT:
        found = _pipelines_by_environment(context)
        if found is not None:
            return found
    file = data_dir() / "services.yaml"
    return _by_file(file, context, key) if file.exists() else None


def _pipelines_by_environment(context: str) -> Address | None:
    environment = os.environ
    url, token = environment.get("FAIRLEAD_KFP_URL"), environment.get("FAIRLEAD_KFP_TOKEN_FILE")
    where = "FAIRLEAD_KFP_URL"
    if not url and context == IN_CLUSTER_CONTEXT:
        where = "KF_PIPELINES_ENDPOINT"
        url = environment.get(where)
        token = token or environment.get("KF_PIPELINES_SA_TOKEN_PATH")
        if not token and _TOKEN_PATH.exists():
            token = str(_TOKEN_PATH)
        if not url and token:
            # Kubeflow's own notebooks: the token is for the service inside of the cluster.
            return Address(IN_CLUSTER_URL, Path(token).expanduser())
    if not url:
        return None
    username = environment.get("FAIRLEAD_KFP_USERNAME")
    login = None
    if username:
        variable = "FAIRLEAD_KFP_PASSWORD"
        login = FormLogin(username, variable if variable in environment else "")
    return Address(_checked(url, where), Path(token).expanduser() if token else None, login=login)


def _by_file(file: Path, context: str, key: str) -> Address | None:
    import yaml

    try:
        content: Any = yaml.safe_load(file.read_text()) or {}
        entry = (content.get(context) or {}).get(key)
        if entry is None:
            return None
        unknown = set(entry) - _FIELDS
        url = str(entry["url"])
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise SpecError(
            f"{file} cannot be read as URLs of services: {type(error).__name__}.",
            hint="Its shape is CONTEXT: NAMESPACE/SERVICE: url: URL",
        ) from error
    if unknown:
        raise SpecError(
            f"{file}: {context}.{key} has unknown fields: {', '.join(sorted(unknown))}."
        )
    token, authority = entry.get("token_file"), entry.get("certificate_authority")
    return Address(
        _checked(url, f"{file}: {context}.{key}.url"),
        Path(token).expanduser() if token else None,
        Path(authority).expanduser() if authority else None,
        _login(entry.get("login"), f"{file}: {context}.{key}.login"),
    )


def _login(entry: Any, where: str) -> FormLogin | None:
    if entry is None:
        return None
    if not isinstance(entry, dict) or not entry.get("username"):
        raise SpecError(f"{where} needs a `username`.")
    unknown = set(entry) - _LOGIN_FIELDS
    if unknown:
        raise SpecError(
            f"{where} has unknown fields: {', '.join(sorted(unknown))}.",
            hint="A password is not kept in this file: name a variable or a Secret.",
        )
    return FormLogin(**{name: str(value) for name, value in entry.items()})


def _checked(url: str, where: str) -> str:
    url = url if "://" in url else f"http://{url}"
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SpecError(f"{where} is no http or https URL.")
    return url.rstrip("/")
