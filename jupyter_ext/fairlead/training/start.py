"""What begins in a container: unpacks the code, completes the variables, and goes on.

It is sent as text and runs where there is no Fairlead, so it needs the standard library alone.
Arguments: the command that follows.
"""

import base64
import importlib.metadata
import importlib.util
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile

environ = os.environ


def unpack() -> str:
    """Write the files that came along into a folder of this container; returns it."""
    folder = tempfile.mkdtemp(prefix="fairlead-")
    pieces, number = [], 0
    while f"FAIRLEAD_FILES_{number}" in environ:
        pieces.append(environ.pop(f"FAIRLEAD_FILES_{number}"))
        number += 1
    archive = base64.b64decode("".join(pieces))
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        if hasattr(tarfile, "data_filter"):
            files.extraction_filter = tarfile.data_filter
        files.extractall(folder)
    return folder


def install() -> None:
    """Install the packages that are not there in the version that is wanted."""
    wanted = []
    for requirement in environ.pop("FAIRLEAD_PACKAGES", "").splitlines():
        name = re.split(r"[^\w.-]", requirement)[0]
        try:
            there = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            there = ""
        if not there or ("==" in requirement and not requirement.endswith("==" + there)):
            wanted.append(requirement)
    if wanted:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *wanted], check=True)


def name_both_ways() -> None:
    """Give what the trainer sets also by the names that the training operator gives it."""
    pairs = [
        ("PET_MASTER_ADDR", "MASTER_ADDR"),
        ("PET_MASTER_PORT", "MASTER_PORT"),
        ("JAX_NUM_PROCESSES", "NUM_PROCESSES"),
        ("JAX_PROCESS_ID", "PROCESS_ID"),
        ("DMLC_TASK_ID", "RANK"),
        ("DMLC_NUM_WORKER", "WORLD_SIZE"),
    ]
    if environ.get("PET_NPROC_PER_NODE") == "1":
        pairs += [("PET_NODE_RANK", "RANK"), ("PET_NNODES", "WORLD_SIZE")]
    for given, lacking in pairs:
        if given in environ:
            environ.setdefault(lacking, environ[given])
    host, _, port = environ.get("JAX_COORDINATOR_ADDRESS", "").rpartition(":")
    if host:
        environ.setdefault("COORDINATOR_ADDRESS", host)
        environ.setdefault("COORDINATOR_PORT", port)


def main(words: list[str]) -> None:
    """Become the command."""
    environ.pop("FAIRLEAD_START", None)
    folder = unpack()
    install()
    name_both_ways()
    reports = os.path.join(folder, "_fairlead")
    if os.path.isdir(reports) and importlib.util.find_spec("fairlead") is None:
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), reports]))
    if environ.pop("FAIRLEAD_WORKSPACE", ""):
        os.chdir(folder)
    words = [os.path.join(folder, word[2:]) if word.startswith("@/") else word for word in words]
    if words[0] == "python":
        words[0] = sys.executable
    os.execvp(words[0], words)


main(sys.argv[1:])
