"""One step as a component of kfp: a function with typed artifacts, in the notebook's own words."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from fairlead.errors import SpecError
from fairlead.pipelines.cells import Cell
from fairlead.pipelines.connections import StepPlan
from fairlead.pipelines.dataflow.session import SETTINGS
from fairlead.pipelines.exports.definitions import earlier_definitions, refuse_travelling
from fairlead.pipelines.exports.kfp_names import Component, type_of
from fairlead.pipelines.exports.kfp_values import (
    OWN_NAMES,
    helpers,
    input_lines,
    metric_lines,
    output_lines,
)
from fairlead.pipelines.exports.plain_code import (
    INDENT,
    bound_names,
    call_lines,
    function_body,
    indented,
    quoted,
    used_names,
)
from fairlead.pipelines.plan import Plan
from fairlead.pipelines.records import Parameter
from fairlead.pipelines.split_records import Loop


class ComponentWriter:
    """Writes the functions of one plan's steps.

    Parameters
    ----------
    numbers
        Position of each cell in the notebook, counted from 1, by its id.
    """

    def __init__(self, plan: Plan, numbers: dict[str, int]) -> None:
        self._plan = plan
        self._numbers = numbers
        self._steps = {planned.step.name: planned for planned in plan.steps}
        refuse_travelling(plan, self.place)

    def place(self, cell_id: str) -> str:
        """Return a cell as messages name it."""
        return f"Cell {self._numbers.get(cell_id, cell_id)}"

    def write(self, component: Component, modules: dict[str, str], packages: Iterable[str]) -> str:
        """Return the decorated function.

        Parameters
        ----------
        modules
            The notebook's own modules that the step imports, by path.
        packages
            Requirements that are installed before it runs.
        """
        planned = component.planned
        codes = [*self._before(planned), *[code for _, code in component.code]]
        names = set(planned.parameters).union(*[bound_names(code) for code in codes])
        names.update(name for source in planned.inputs for name in source.bind)
        names.update(component.inputs.values(), component.outputs.values(), [component.item])
        everything = names.union(*[used_names(code) for code in codes])
        self._refuse_clash(planned, everything)
        body = [
            *self._head(component, codes),
            *self._module_files(modules),
            *self._setup(planned, names),
            *input_lines(component, self._steps, self._plan.splits),
        ]
        for cell, code in component.code:
            body += ["", INDENT + f"# {self.place(cell.id)}"]
            body.append(function_body(code, self.place(cell.id), names))
            if cell.metrics or "metrics" in cell.tags:
                body += metric_lines(cell)
        body += output_lines(component, self._steps)
        body += [INDENT + line for line in component.result]
        return "\n".join([*self._signature(component, packages), *body]) + "\n"

    def _before(self, planned: StepPlan) -> list[str]:
        """Return the code that a step runs before its own cells."""
        common = [
            cell.code
            for cell in self._plan.common
            if cell.role == "setup" or cell.id in self._plan.parameters.with_code
        ]
        return common + [code for _, code in self._earlier(planned)]

    def _earlier(self, planned: StepPlan) -> list[tuple[str, str]]:
        known = set(planned.parameters)
        for cell in self._plan.layout.cells:
            if cell.role in ("setup", "parameters"):
                known |= bound_names(cell.code)
        return earlier_definitions(planned, self._steps, known)

    def _refuse_clash(self, planned: StepPlan, names: set[str]) -> None:
        if any(SETTINGS in slot.names for slot in planned.outputs):
            raise SpecError(
                f"Step '{planned.step.name}' changes settings of its process by values, which "
                "later steps take over; the exported code cannot do that.",
                hint="Put the setting into a cell tagged `setup`.",
            )
        for name in OWN_NAMES:
            if name in names:
                raise SpecError(
                    f"Step '{planned.step.name}' uses the name `{name}`, which the exported code "
                    "needs.",
                    hint="Rename the variable.",
                )

    def _signature(self, component: Component, packages: Iterable[str]) -> list[str]:
        settings = component.planned.step.settings
        image = quoted(settings.image) if settings.image else "IMAGE"
        options = [f"base_image={image}"]
        listed = list(packages)
        if listed:
            options.append(f"packages_to_install={quoted(listed)}")
        lists = {
            source.key
            for source in component.planned.inputs
            if isinstance(self._plan.splits.get(source.step), Loop)
        }
        arguments = [
            f"{name}: Input[{'List[Artifact]' if key in lists else 'Artifact'}]"
            for key, name in component.inputs.items()
        ]
        arguments += [f"{name}: Output[Artifact]" for name in component.outputs.values()]
        if component.metrics:
            arguments.append("metrics: Output[Metrics]")
        known = self._plan.parameters.parameters
        if component.item:
            arguments.append(f"{component.item}: {component.item_type}")
        plain = [p for p in component.planned.parameters if not type_of(known[p]).startswith("O")]
        rest = [p for p in component.planned.parameters if p not in plain]
        arguments += [f"{name}: {type_of(known[name])}" for name in plain]
        arguments += [f"{name}: {type_of(known[name])} = None" for name in rest]
        lines = call_lines("@dsl.component(", options, ")")
        end = f") -> {component.returns}:" if component.returns else "):"
        if arguments:
            lines += [f"def {component.name}(", *[f"{INDENT}{a}," for a in arguments], end]
        else:
            lines.append(f"def {component.name}({end}")
        title = component.planned.step.title.replace("\\", "").replace('"', "'")
        if title.replace("-", "_") != component.name:
            lines.append(f'{INDENT}"""{title}"""')
        return lines

    def _head(self, component: Component, codes: list[str]) -> list[str]:
        """Return helpers; outputs' paths are kept before variables take their names."""
        planned = component.planned
        lines = [indented(helper) + "\n" for helper in helpers(component)]
        kept = {name: f"{name}.path" for name in component.outputs.values()}
        if component.metrics:
            kept["metrics"] = "metrics"
        if kept:
            pairs = [f"{quoted(name)}: {value}" for name, value in kept.items()]
            lines += call_lines(f"{INDENT}artifact_paths = {{", pairs, "}")
            # A name that the notebook does not bind must not be an artifact.
            lines.append(f"{INDENT}del {', '.join(kept)}  # from here on they are the notebook's")
        if any("display" in used_names(code) for code in codes):
            lines.append(INDENT + "display = print")
        if any("__name__" in used_names(code) for code in codes):
            lines.append(INDENT + '__name__ = "__main__"  # as in a notebook')
        classes = sorted(
            {
                node.name
                for code in codes
                for node in ast.parse(code).body
                if isinstance(node, ast.ClassDef)
            }
        )
        if classes and (planned.inputs or planned.outputs):
            lines.append(INDENT + f"global {', '.join(classes)}  # so that they can be pickled")
        return lines

    def _module_files(self, modules: dict[str, str]) -> list[str]:
        """Return code that writes the notebook's own modules where they can be imported."""
        if not modules:
            return []
        lines = [
            "",
            "# The notebook's own modules",
            "import pathlib as module_pathlib",
            "import sys as module_sys",
            "import tempfile as module_tempfile",
            "",
            "module_folder = module_pathlib.Path(module_tempfile.mkdtemp())",
        ]
        for path, source in modules.items():
            lines.append(f"module_file = module_folder / {quoted(path)}")
            lines.append("module_file.parent.mkdir(parents=True, exist_ok=True)")
            lines.append(f"module_file.write_text({_literal(source)})")
        lines.append("module_sys.path.insert(0, str(module_folder))")
        return indented("\n".join(lines)).split("\n")

    def _setup(self, planned: StepPlan, names: set[str]) -> list[str]:
        """Return the cells before every step, the parameters, and definitions of earlier steps."""
        lines: list[str] = []
        for cell in self._plan.layout.cells:
            if cell.role == "setup":
                lines += [
                    "",
                    INDENT + f"# {self.place(cell.id)}: {', '.join(cell.tags) or 'setup'}",
                ]
                lines.append(function_body(cell.code, self.place(cell.id), names))
            elif cell.role == "parameters" and cell.id in self._plan.parameters.with_code:
                lines += self._parameter_code(cell, planned, names)
        for name in planned.parameters:
            lines += self._retyped(self._plan.parameters.parameters[name])
        for cell_id, source in self._earlier(planned):
            lines += ["", INDENT + f"# From {self.place(cell_id).lower()}"]
            lines.append(function_body(source, self.place(cell_id), names))
        return lines

    def _parameter_code(self, cell: Cell, planned: StepPlan, names: set[str]) -> list[str]:
        """Return the code beside parameters, after which the given values hold again."""
        given = f"given_{cell.index}"
        pairs = ", ".join(f"{quoted(name)}: {name}" for name in planned.parameters)
        lines = ["", INDENT + f"# {self.place(cell.id)}: parameters"]
        lines.append(INDENT + f"{given} = {{{pairs}}}")
        lines.append(function_body(cell.code, self.place(cell.id), names))
        for name in planned.parameters:
            known = self._plan.parameters.parameters[name]
            line = f"{name} = {given}[{quoted(name)}]"
            empty = type_of(known).startswith("O")
            lines.append(
                INDENT + (f"if {given}[{quoted(name)}] is not None: {line}" if empty else line)
            )
        return lines

    def _retyped(self, parameter: Parameter) -> list[str]:
        """Return code for a default that JSON cannot hold: an unchanged one is the notebook's."""
        if not parameter.literal:
            return []
        value = ast.literal_eval(parameter.literal)
        if type(value) is type(parameter.default):
            return []
        test = f"if {parameter.name} == {quoted(parameter.default)}:"
        return [INDENT + test, INDENT * 2 + f"{parameter.name} = {parameter.literal}"]


def _literal(source: str) -> str:
    """Write a text so that it can be read, where that is possible."""
    if '"""' in source or "\\" in source or "\r" in source or not source.endswith("\n"):
        return repr(source)
    return f'"""\\\n{source}"""'
