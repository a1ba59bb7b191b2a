"""Derives the numbers of protobuf fields of the built-in kinds; run it to write them anew.

    python tests/unit/derive_protobuf.py KUBERNETES/staging/src/k8s.io

Some commands of kubectl send objects in protobuf. The numbers of fields are facts of the API and
never change; they stand in the tags of the Go types. One file comes out, `protobuf.tsv`: a line
`DEFINITION<tab>FIELDS` per message, fields as `NAME:NUMBER:TYPE`, where a type is a letter
(`s`tring, `b`ool, `i`nteger, b`y`tes, `t`ime, `u` microtime, `q`uantity, `x` int or string, `r`aw,
`e` list of strings of its own) or the name of a message, after `[]` in a list, `{}` in a map, `*`
where nothing and zero differ, and `~` where the message stands in the JSON of its parent.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

OUTPUT = Path(__file__).parents[2] / "server_ext/fairlead_plane/resources/schemas/protobuf.tsv"
PACKAGES = {
    "api/core/v1": "io.k8s.api.core.v1",
    "api/apps/v1": "io.k8s.api.apps.v1",
    "api/authentication/v1": "io.k8s.api.authentication.v1",
    "api/authorization/v1": "io.k8s.api.authorization.v1",
    "api/autoscaling/v1": "io.k8s.api.autoscaling.v1",
    "api/batch/v1": "io.k8s.api.batch.v1",
    # These became v1 later, with the same numbers.
    "api/batch/v1beta1": "io.k8s.api.batch.v1",
    "api/policy/v1beta1": "io.k8s.api.policy.v1",
    "api/coordination/v1": "io.k8s.api.coordination.v1",
    "api/events/v1": "io.k8s.api.events.v1",
    "api/networking/v1": "io.k8s.api.networking.v1",
    "api/rbac/v1": "io.k8s.api.rbac.v1",
    "api/scheduling/v1": "io.k8s.api.scheduling.v1",
    "api/storage/v1": "io.k8s.api.storage.v1",
    "apimachinery/pkg/apis/meta/v1": "io.k8s.apimachinery.pkg.apis.meta.v1",
}
LETTERS = {
    "string": "s",
    "bool": "b",
    "int": "i",
    "int32": "i",
    "int64": "i",
    "[]byte": "y",
    "resource.Quantity": "q",
    "intstr.IntOrString": "x",
    "runtime.RawExtension": "r",
    "FieldsV1": "r",
    "Time": "t",
    "MicroTime": "u",
    "ExtraValue": "e",
    "types.UID": "s",
}
ALIASES = {
    "v1": "io.k8s.api.core.v1",
    "corev1": "io.k8s.api.core.v1",
    "apiv1": "io.k8s.api.core.v1",
    "batchv1": "io.k8s.api.batch.v1",
    "metav1": "io.k8s.apimachinery.pkg.apis.meta.v1",
}
# What came after 1.20, of whose sources Debian has a package: whole messages, or more fields.
LATER = {
    "io.k8s.api.authentication.v1.SelfSubjectReview": (
        "metadata:1:io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta "
        "status:2:io.k8s.api.authentication.v1.SelfSubjectReviewStatus"
    ),
    "io.k8s.api.authentication.v1.SelfSubjectReviewStatus": (
        "userInfo:1:io.k8s.api.authentication.v1.UserInfo"
    ),
    "io.k8s.api.batch.v1.JobSpec": (
        "completionMode:9:*s suspend:10:*b backoffLimitPerIndex:12:*i maxFailedIndexes:13:*i "
        "podReplacementPolicy:14:*s managedBy:15:*s"
    ),
    "io.k8s.api.batch.v1.JobStatus": (
        "completedIndexes:7:s ready:9:*i failedIndexes:10:*s terminating:11:*i"
    ),
    "io.k8s.api.batch.v1.CronJobSpec": "timeZone:8:*s",
    "io.k8s.api.core.v1.ServiceSpec": (
        "loadBalancerClass:21:*s internalTrafficPolicy:22:*s trafficDistribution:23:*s"
    ),
}

STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^type (\w+) ([\w.\[\]*]+)$", re.MULTILINE)
FIELD = re.compile(
    r'^\t(?:(\w+) )?\s*(\S+)\s+`json:"([^",]*)[^"]*"[^`]*?protobuf:"\w+,(\d+),\w+[,.]name=(\w+)',
    re.MULTILINE,
)


class Types:
    """The Go types of one package."""

    def __init__(self, source: str, package: str) -> None:
        self.package = package
        self.named = dict(NAMED.findall(source))
        self.structs = dict(STRUCT.findall(source))

    def letter(self, go: str) -> str:
        """Return the type of a field as the table writes it."""
        pointer = "*" if go.startswith("*") else ""
        go = go.lstrip("*")
        plain = go.removeprefix("metav1.") if go.startswith("metav1.") else go
        if plain in LETTERS:
            return pointer + LETTERS[plain]
        if go.startswith("[]"):
            return "[]" + self.letter(go[2:])
        if found := re.fullmatch(r"map\[[\w.]+\](.+)", go):
            return "{}" + self.letter(found[1])
        if go in self.named:
            return pointer + self.letter(self.named[go])
        prefix, _, name = go.rpartition(".")
        if prefix and name in LETTERS:
            return pointer + LETTERS[name]
        package = ALIASES[prefix] if prefix else self.package
        return f"{pointer}{package}.{name}"

    def lines(self):
        """Yield the messages and their fields."""
        for name, body in self.structs.items():
            fields = []
            for _field, go, json, number, proto in FIELD.findall(body):
                type_ = self.letter(go)
                if not json:
                    if name != proto and proto in ("objectMeta", "listMeta", "typeMeta"):
                        continue
                    json, type_ = proto, f"~{type_}"
                fields.append(f"{json}:{number}:{type_}")
            if fields:
                yield f"{self.package}.{name}", " ".join(fields)


def resolve(types: Types, others: dict[str, Types]) -> None:
    """Let named types of other packages stand for what they are."""
    for alias, package in ALIASES.items():
        for name, go in others[package].named.items():
            if package != types.package and not go[0].isupper():
                types.named.setdefault(f"{alias}.{name}", go)
            elif package != types.package:
                types.named.setdefault(f"{alias}.{name}", f"{alias}.{go}")


def derive(root: Path) -> str:
    """Return the content of the table."""
    parsed: dict[str, Types] = {}
    for folder, package in PACKAGES.items():
        source = "\n".join(path.read_text() for path in sorted((root / folder).glob("*types.go")))
        types = Types(source, package)
        if package in parsed:
            parsed[package].named |= types.named
            parsed[package].structs = {**types.structs, **parsed[package].structs}
        else:
            parsed[package] = types
    lines: dict[str, str] = {}
    for types in parsed.values():
        resolve(types, parsed)
        lines.update(types.lines())
    for name, fields in LATER.items():
        lines[name] = f"{lines[name]} {fields}" if name in lines else fields
    return "".join(f"{name}\t{fields}\n" for name, fields in sorted(lines.items()))


if __name__ == "__main__":
    OUTPUT.write_text(derive(Path(sys.argv[1])))
