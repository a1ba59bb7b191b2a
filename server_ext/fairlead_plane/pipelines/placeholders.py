"""KFP's placeholders in commands, arguments and environment values.

A template is parsed once, before any value is known, into literal text and references; values are
then put in as they are. So a value that looks like a placeholder, a quote or JSON stays a value.

Grammar, after `kfp.dsl.placeholders` and the comments of `pipeline_spec.proto`::

    {{$}}                                        the ExecutorInput as JSON
    {{$.json_escape[N]}}                         the same, escaped N times as inside a JSON string
    {{$.inputs.parameters['X']}}                 also with .json_escape[N]
    {{$.inputs.artifacts['X'].uri}}              also .path .name .metadata .metadata['K'], or none
    {{$.outputs.parameters['X'].output_file}}    also .outputFile
    {{$.outputs.artifacts['X'].uri}}             as for inputs
    {{$.outputs.output_file}}                    also .outputFile and {{$.outputMetadataUri}}
    {{$.pipeline_job_name}} ...                  see `Context.names`
    {"Concat": [...]}  {"IfPresent": {...}}      a whole argument
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from fairlead.errors import SpecError

from .values import to_text

Json = Any

_PLACEHOLDER = re.compile(
    r"""\{\{\$(?:
      (?P<whole>)(?:\.json_escape\[(?P<escape>\d+)\])?
    | \.(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\['(?P<name>[^']*)'\]
        (?:\.json_escape\[(?P<value_escape>\d+)\]
         | \.(?P<field>[A-Za-z_]+)(?:\['(?P<key>[^']*)'\])?)?
    | \.(?P<word>outputs\.output_?[fF]ile|[A-Za-z_]+)
    )\}\}""",
    re.VERBOSE,
)
_OUTPUT_FILE_WORDS = ("outputs.output_file", "outputs.outputFile", "outputMetadataUri")
_STRUCTS = ('{"Concat": ', '{"IfPresent": ')


@dataclass(frozen=True, slots=True)
class Context:
    """The values that templates of one task may refer to."""

    executor_input: Mapping[str, Json]
    """ExecutorInput as a dict, proto JSON names."""

    executor_input_json: str
    names: Mapping[str, str]
    """Words like `pipeline_job_name` and what they stand for."""

    declared: frozenset[str]
    """Inputs of the component; one without a value is null, any other name is plain text."""

    quote: Callable[[str], str] = str
    """Applied to every value before it is put in."""


@dataclass(frozen=True, slots=True)
class _Reference:
    """One placeholder: its text, and the parts of it that the grammar above names."""

    text: str
    parts: Mapping[str, str | None]

    def resolve(self, context: Context) -> str:
        """Return the value as text; the placeholder's own text when it refers to nothing known."""
        parts = self.parts
        if parts["whole"] is not None:
            return _escaped(context.executor_input_json, parts["escape"])
        word = parts["word"]
        if word is not None:
            if word in _OUTPUT_FILE_WORDS:
                return str(context.executor_input["outputs"]["outputFile"])
            return context.names.get(word, self.text)
        if parts["kind"] == "parameters":
            return self._parameter(context)
        return self._artifact(context)

    def _parameter(self, context: Context) -> str:
        parts = self.parts
        name = parts["name"] or ""
        if parts["side"] == "inputs":
            values = context.executor_input.get("inputs", {}).get("parameterValues", {})
            if parts["field"] is not None or (name not in values and name not in context.declared):
                return self.text
            return _escaped(to_text(values.get(name)), parts["value_escape"])
        outputs = context.executor_input["outputs"].get("parameters", {})
        if name in outputs and parts["field"] in ("output_file", "outputFile"):
            return str(outputs[name]["outputFile"])
        return self.text

    def _artifact(self, context: Context) -> str:
        parts = self.parts
        name = parts["name"] or ""
        found = context.executor_input.get(parts["side"] or "", {}).get("artifacts", {}).get(name)
        if found is None:
            known = parts["side"] == "inputs" and name in context.declared
            return "null" if known else self.text
        field = parts["field"]
        if field is None:
            return to_text(found)
        if not found["artifacts"]:
            return "null"  # An empty list.
        artifact = found["artifacts"][0]
        if field in ("uri", "path"):
            return local_path(artifact["uri"]) if field == "path" else str(artifact["uri"])
        if field == "name":
            return str(artifact.get("name", ""))
        if field == "metadata":
            metadata = artifact.get("metadata", {})
            return to_text(metadata if parts["key"] is None else metadata.get(parts["key"]))
        return self.text


@dataclass(frozen=True, slots=True)
class Template:
    """Text with placeholders, parsed."""

    parts: tuple[str | _Reference, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Split `text` at its placeholders; text that fits no placeholder stays text."""
        if "{{$" not in text:
            return cls((text,))
        return cls(tuple(_split(text)))

    def resolve(self, context: Context) -> str:
        """Put the values in."""
        return "".join(
            part if isinstance(part, str) else context.quote(part.resolve(context))
            for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class _Concat:
    items: tuple[Argument, ...]

    def resolve(self, context: Context) -> list[str]:
        return ["".join(text for item in self.items for text in item_texts(item, context))]


@dataclass(frozen=True, slots=True)
class _IfPresent:
    name: str
    then: tuple[Argument, ...]
    otherwise: tuple[Argument, ...]

    def resolve(self, context: Context) -> list[str]:
        inputs = context.executor_input.get("inputs", {})
        present = inputs.get("parameterValues", {}).get(
            self.name
        ) is not None or self.name in inputs.get("artifacts", {})
        chosen = self.then if present else self.otherwise
        return [text for item in chosen for text in item_texts(item, context)]


Argument = Template | _Concat | _IfPresent


def parse_argument(text: str) -> Argument:
    """Parse one element of a command or of args.

    Raises
    ------
    SpecError
        It starts like a Concat or IfPresent placeholder and is not one.
    """
    if not text.startswith(_STRUCTS):
        return Template.parse(text)
    try:
        return _parse_struct(orjson.loads(text))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SpecError(f"Not a Concat or IfPresent placeholder: {text[:80]}") from error


def item_texts(argument: Argument, context: Context) -> list[str]:
    """Resolve an argument; an IfPresent gives none, one or several."""
    if isinstance(argument, Template):
        return [argument.resolve(context)]
    return argument.resolve(context)


def resolve_all(arguments: Sequence[Argument], context: Context) -> list[str]:
    """Resolve a whole command line."""
    return [text for argument in arguments for text in item_texts(argument, context)]


def fill_constant(constant: Json, channels: Mapping[str, Json], names: Mapping[str, str]) -> Json:
    """Put upstream values into a constant that the kfp compiler wrote from an f-string.

    Parameters
    ----------
    constant : JSON
        `runtimeValue.constant`. Only `{{$.inputs.parameters['pipelinechannel--...']}}` is looked
        for, at any depth: kfp writes f-strings so. Words like `{{$.pipeline_job_name}}` count
        only in a constant that is a string, so that source code carried in a list or an object
        arrives as it was written.
    channels : mapping
        Values of the task's other input parameters.
    names : mapping
        See `Context.names`.
    """
    if isinstance(constant, str):
        if "{{$." not in constant:
            return constant
        return "".join(_filled(part, channels, names) for part in _split(constant))
    if isinstance(constant, list):
        return [fill_constant(item, channels, {}) for item in constant]
    if isinstance(constant, dict):
        return {key: fill_constant(item, channels, {}) for key, item in constant.items()}
    return constant


def refers_to_channels(constant: Json) -> bool:
    """Say whether `fill_constant` could change the constant."""
    return "{{$." in constant if isinstance(constant, str) else b"{{$." in orjson.dumps(constant)


def local_path(uri: str) -> str:
    """Return where an artifact lies in the file system, as KFP's launcher maps it.

    A plain path is itself; `file://` is cut; `gs://`, `s3://` and `minio://` lie under `/gcs`,
    `/s3` and `/minio`.
    """
    if uri.startswith("file://"):
        return uri[len("file://") :]
    for scheme, folder in (("gs://", "/gcs/"), ("s3://", "/s3/"), ("minio://", "/minio/")):
        if uri.startswith(scheme):
            return folder + uri[len(scheme) :]
    return uri


def _split(text: str) -> Iterator[str | _Reference]:
    position = 0
    for match in _PLACEHOLDER.finditer(text):
        if match.start() > position:
            yield text[position : match.start()]
        yield _Reference(match.group(), match.groupdict())
        position = match.end()
    if position < len(text):
        yield text[position:]


def _filled(part: str | _Reference, channels: Mapping[str, Json], names: Mapping[str, str]) -> str:
    if isinstance(part, str):
        return part
    name = part.parts["name"]
    if (
        name is not None
        and name in channels
        and name.startswith("pipelinechannel--")
        and part.parts["side"] == "inputs"
        and part.parts["field"] is None
    ):
        return to_text(channels[name])
    return names.get(part.parts["word"] or "", part.text)


def _parse_struct(value: Json) -> Argument:
    if isinstance(value, str):
        return Template.parse(value)
    if "Concat" in value:
        return _Concat(tuple(_parse_struct(item) for item in value["Concat"]))
    condition = value["IfPresent"]
    return _IfPresent(
        condition["InputName"],
        tuple(_parse_struct(item) for item in _as_list(condition["Then"])),
        tuple(_parse_struct(item) for item in _as_list(condition.get("Else", []))),
    )


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _escaped(text: str, times: str | None) -> str:
    for _ in range(int(times or 0)):
        text = orjson.dumps(text).decode()[1:-1]
    return text
