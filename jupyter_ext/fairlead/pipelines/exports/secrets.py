"""What must not leave this machine in a file for others: secrets, and paths of this machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credentials?)$",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE")
_FORMS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("an access key of AWS", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a token of GitHub", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})")),
    ("a token of GitLab", re.compile(r"\bglpat-[\w-]{20,}")),
    ("a token of Slack", re.compile(r"\bxox[abprs]-[\w-]{10,}")),
    ("a token of Hugging Face", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("a key of Google", re.compile(r"\bAIza[\w-]{35}\b")),
    ("a web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@{}$]+:[^\s/@{}$]+@")),
)
_SHORTEST = 8
"""Characters that the value of a variable must have to be looked for: shorter ones are anywhere."""
_FILES = re.compile(
    r"(?:^|/)(?:\.env.*|\.netrc|\.pypirc|id_(?:rsa|dsa|ecdsa|ed25519)|credentials(?:\.json)?"
    r"|kubeconfig|.*\.(?:pem|key|p12|pfx|jks))$"
)


@dataclass(frozen=True)
class Finding:
    """Something that must stay here: the line from 1, and what it is; never its value."""

    line: int
    what: str


def secret_file(path: str) -> bool:
    """Tell whether a file's name says that it holds a secret."""
    return bool(_FILES.search(path))


def find_private(
    text: str, variables: Mapping[str, str], folders: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield what of a text must not leave this machine.

    Parameters
    ----------
    variables
        Environment variables: the values of those whose names say that they are secret must not
        be in it.
    folders
        Absolute paths of this machine that it must not name.
    """
    for what, form in _FORMS:
        for match in form.finditer(text):
            yield Finding(_line(text, match.start()), what)
    for name, value in variables.items():
        if _SECRET_VARIABLE.search(name.upper()) and len(value) >= _SHORTEST and value in text:
            yield Finding(_line(text, text.index(value)), f"the value of the variable {name}")
    for folder in folders:
        if len(folder) > 1:
            found = re.search(rf"(?<![\w.-]){re.escape(folder)}(?![\w.-])", text)
            if found:
                yield Finding(_line(text, found.start()), "a path of this machine")


def find_assigned(tree: ast.AST) -> Iterator[Finding]:
    """Yield the texts that code gives to a name that says it is secret."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(_name(target), node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(_name(node.target), node.value)]
        elif isinstance(node, ast.Call):
            pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            pairs = [
                (str(key.value), value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        for name, value in pairs:
            text = isinstance(value, ast.Constant) and isinstance(value.value, str)
            if text and _SECRET_NAME.search(name) and len(value.value.strip("*x. ")) >= 4:  # type: ignore[union-attr]
                yield Finding(value.lineno, f"a text for `{name}`")  # type: ignore[union-attr]


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return str(getattr(target, "id", getattr(target, "attr", "")))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
