"""Who may read and write which objects: KFP's own settings, the ConfigMap `kfp-launcher`.

Under its key `providers` stand endpoint, region and credentials by scheme, for all of it and for
single buckets and prefixes, as on a cluster; `defaultPipelineRoot` is where artifacts go. Without
it a step uses its own variables (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS` and their
like), or the Secret `mlpipeline-minio-artifact` with which KFP is installed.

Source: `backend/src/v2/config` of Kubeflow Pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .places import Place

Json = Any

CONFIG_NAME, PROVIDERS_KEY, ROOT_KEY = "kfp-launcher", "providers", "defaultPipelineRoot"
SECRET_NAME, SECRET_ACCESS_KEY, SECRET_SECRET_KEY = (
    "mlpipeline-minio-artifact", "accesskey", "secretkey",
)  # fmt: skip


class AccessError(Exception):
    """The settings cannot be read; the message names the field."""


@dataclass(frozen=True)
class Access:
    """How to get at the objects of a bucket; holds no secret.

    Attributes
    ----------
    endpoint : str
        Base URL; empty: that of the scheme, or of the step's own variables.
    region : str
        Empty: that of the step's own variables.
    secret_name : str
        Secret with the credentials; empty: those of the step's own variables alone.
    keys : tuple of str
        Keys in it: of access key and secret key, or of the service account's JSON.
    optional : bool
        The Secret need not be there.
    """

    endpoint: str = ""
    region: str = ""
    secret_name: str = ""
    keys: tuple[str, ...] = ()
    optional: bool = False


def access_of(place: Place, providers: str) -> Access:
    """Return how to get at a place.

    Parameters
    ----------
    providers : str
        YAML under the key `providers` of the ConfigMap; empty when there is none.

    Raises
    ------
    AccessError
        The YAML is not in the shape that KFP reads.
    """
    if not providers.strip():
        return _default(place)
    import yaml  # loaded where somebody has such settings

    try:
        content = yaml.safe_load(providers)
    except yaml.YAMLError as error:
        raise AccessError(f"{CONFIG_NAME}: {PROVIDERS_KEY}: no YAML: {error}") from error
    where = f"{CONFIG_NAME}: {PROVIDERS_KEY}.{place.scheme}"
    provider = _object(_object(content, f"{CONFIG_NAME}: {PROVIDERS_KEY}").get(place.scheme), where)
    if not provider:
        return _default(place)
    default = _object(provider.get("default"), f"{where}.default")
    for number, entry in enumerate(provider.get("overrides") or ()):
        at = f"{where}.overrides[{number}]"
        entry = _object(entry, at)
        prefix = str(entry.get("keyPrefix") or "").strip("/")
        inside = not prefix or place.key == prefix or place.key.startswith(f"{prefix}/")
        if entry.get("bucketName") == place.bucket and inside:
            return _read({**default, **entry}, at)
    return _read(default, f"{where}.default")


def _default(place: Place) -> Access:
    if place.scheme == "gs":
        return Access()
    keys = (SECRET_ACCESS_KEY, SECRET_SECRET_KEY)
    return Access(secret_name=SECRET_NAME, keys=keys, optional=True)


def _read(entry: Mapping[str, Json], where: str) -> Access:
    credentials = _object(entry.get("credentials"), f"{where}.credentials")
    endpoint = str(entry.get("endpoint") or "")
    if endpoint and "://" not in endpoint:
        insecure = str(entry.get("disableSSL")).lower() == "true"
        endpoint = f"{'http' if insecure else 'https'}://{endpoint}"
    region = str(entry.get("region") or "")
    if credentials.get("fromEnv"):
        return Access(endpoint, region)
    at = f"{where}.credentials.secretRef"
    reference = _object(credentials.get("secretRef"), at)
    names = ("tokenKey",) if "tokenKey" in reference else ("accessKeyKey", "secretKeyKey")
    missing = [name for name in ("secretName", *names) if not reference.get(name)]
    if missing:
        raise AccessError(f"{at}: `{missing[0]}` is missing, or set `fromEnv: true` beside it")
    keys = tuple(str(reference[name]) for name in names)
    return Access(endpoint, region, str(reference["secretName"]), keys)


def _object(value: Json, where: str) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AccessError(f"{where} must be an object")
    return value
