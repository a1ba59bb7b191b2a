"""Reading uploaded pipeline packages: multipart form, archive, YAML or JSON."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from .answers import invalid

Json = Any

LARGEST_PACKAGE = 32 << 20
"""Bytes of an upload at most, as upstream."""

_FETCH_S = 30.0
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_FILENAME = re.compile(rb'filename="([^"]*)"')


async def read_upload(request: Request) -> tuple[bytes, str]:
    """Return content and file name of the form field `uploadfile`; RestError without one."""
    found = _BOUNDARY.search(request.headers.get("content-type", ""))
    if not found:
        raise invalid("an upload is a multipart/form-data with a file `uploadfile`")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _check_size(len(body))
    separator = b"--" + found.group(1).encode()
    for part in bytes(body).split(separator)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="uploadfile"' in head:
            named = _FILENAME.search(head)
            return content.removesuffix(b"\r\n"), named.group(1).decode() if named else "pipeline"
    raise invalid("the form has no file `uploadfile`")


def fetch_package(url: str) -> bytes:
    """Return the package at a URL, as a cluster fetches it; blocks.

    Raises
    ------
    RestError
        It is no http or https URL, does not answer, or is too large.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise invalid(f"package_url '{url}': only http and https can be fetched")
    import urllib3  # its pools are for what is fetched now and then

    try:
        with urllib3.PoolManager(retries=urllib3.Retry(2)) as pool:
            answer = pool.request("GET", url, preload_content=False, timeout=_FETCH_S)
            content: bytes = answer.read(LARGEST_PACKAGE + 1)
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise invalid(f"package_url '{url}' cannot be fetched: {error}") from error
    if answer.status != 200:
        raise invalid(f"package_url '{url}' was answered with {answer.status}")
    _check_size(len(content))
    return content


def package_name(url: str) -> str:
    """Return the file name at the end of a URL."""
    return urlsplit(url).path.rpartition("/")[2] or "pipeline.yaml"


def _check_size(size: int) -> None:
    if size > LARGEST_PACKAGE:
        raise invalid(f"a pipeline package has at most {LARGEST_PACKAGE >> 20} MiB")


def read_package(content: bytes, filename: str) -> Json:
    """Return the pipeline spec in a package, with its platform spec when there is one.

    Parameters
    ----------
    filename : str
        Ends in .yaml, .yml, .json, .zip, .tar.gz or .tgz.

    Raises
    ------
    RestError
        It cannot be read.
    """
    import yaml  # 2 MB of a process that should stay small, for something rare

    try:
        if filename.endswith(".zip"):
            content = _from_zip(content)
        elif filename.endswith((".tar.gz", ".tgz")):
            content = _from_tar(content)
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = [one for one in yaml.load_all(content, Loader=loader) if one is not None]
    except (
        yaml.YAMLError,
        zipfile.BadZipFile,
        tarfile.TarError,
        StopIteration,
        UnicodeError,
    ) as error:
        raise invalid(f"the package {filename} cannot be read: {error}") from error
    if not documents:
        raise invalid(f"the package {filename} is empty")
    if len(documents) == 1:
        return documents[0]
    return {"pipeline_spec": documents[0], "platform_spec": documents[1]}


def _from_zip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(next(name for name in archive.namelist() if _is_spec(name)))


def _from_tar(content: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        file = archive.extractfile(
            next(one for one in archive if one.isfile() and _is_spec(one.name))
        )
        return file.read() if file else b""


def _is_spec(name: str) -> bool:
    return name.endswith((".yaml", ".yml", ".json"))
