"""What `sh` stands for, in an image whose system has another one than this machine.

That of Alpine, BusyBox and Red Hat's images knows `[[`, `==` and `pipefail`, Debian's does not: a
script that was written for such an image is run by bash, where this machine has it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

_NAMES = ("sh", "/bin/sh")
_RICHER = re.compile(
    r"(?:^|/)(?:alpine|busybox|bash|fedora|centos|rockylinux|almalinux|ubi\d*)(?:[/:@-]|$)"
    r"|[:-]alpine"
)


def with_shell(words: Sequence[str], image: str, path: str) -> list[str]:
    """Return a command with the shell that its image would bring.

    Parameters
    ----------
    words : sequence of str
        Command and arguments.
    image : str
        Name of the container's image.
    path : str
        `PATH` of the process.
    """
    if words[0] in _NAMES and _RICHER.search(image):
        bash = shutil.which("bash", path=path)
        if bash is not None:
            return [bash, "--posix", *words[1:]]
    return list(words)
