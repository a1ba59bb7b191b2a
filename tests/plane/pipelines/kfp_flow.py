"""Control flow written with the kfp package; run by its own Python, compiles all into a folder."""

# ruff: noqa
import sys
import warnings
from typing import Dict, List, NamedTuple, Optional

warnings.simplefilter("ignore")

from kfp import compiler, dsl
from kfp.dsl import Dataset, Input, Model, Output, PipelineTaskFinalStatus

PIPELINES = []


def component(function):
    return dsl.component(function, install_kfp_package=False)


def pipeline(function):
    PIPELINES.append(dsl.pipeline(function))
    return PIPELINES[-1]


@component
def say(x: str) -> str:
    return x


@component
def same(x: int) -> int:
    return x


@component
def double(x: int) -> int:
    return 2 * x


@component
def numbers(n: int) -> List[int]:
    return list(range(n))


@component
def anything() -> list:
    return [1, 2, 3]


@component
def objects() -> List[Dict[str, int]]:
    return [{"a": 1, "b": 10}, {"a": 2, "b": 20}]


@component
def total(xs: List[int]) -> int:
    return sum(xs)


@component
def listed(xs: list) -> list:
    return xs


@component
def write(x: int, data: Output[Dataset]):
    with open(data.path, "w") as file:
        file.write(str(x))
    data.metadata["x"] = x


@component
def read(data: Input[Dataset]) -> int:
    with open(data.path) as file:
        return int(file.read())


@component
def read_all(datas: Input[List[Dataset]]) -> list:
    return [int(open(one.path).read()) for one in datas or []]


@component
def fail(message: str):
    raise ValueError(message)


@component
def not_two(x: int) -> int:
    if x == 2:
        raise ValueError("two")
    return x


@component
def status_of(status: PipelineTaskFinalStatus, note: str) -> list:
    return [status.state, status.pipeline_task_name, status.error_code, status.error_message, note]


@component
def optional(x: Optional[str] = None, n: int = 7, flag: bool = True) -> str:
    return f"{x} {n} {flag}"


@pipeline
def loops(n: int = 3) -> int:
    with dsl.ParallelFor(numbers(n=n).output, parallelism=2) as item:
        made = double(x=item)
    return total(xs=dsl.Collected(made.output)).output


@pipeline
def untyped_items(items: list = ["one", "it's", '{"a": 3}']):
    with dsl.ParallelFor(items) as item:
        say(x=item)
        with dsl.If(item == "it's"):
            say(x="found")


@pipeline
def untyped_output():
    with dsl.ParallelFor(anything().output) as item:
        double(x=item)


@pipeline
def nested_loops() -> list:
    with dsl.ParallelFor([1, 2]) as a:
        with dsl.ParallelFor([10, 20]) as b:
            made = double(x=b)
            same(x=a)
    return listed(xs=dsl.Collected(made.output)).output


@pipeline
def parts_of_items():
    with dsl.ParallelFor([{"b": "x", "c": "1"}, {"b": "it's", "c": "2"}]) as item:
        say(x=item.b)
        with dsl.If(item.c == "2"):
            say(x="found")


@pipeline
def parts_of_outputs() -> int:
    with dsl.ParallelFor(objects().output) as item:
        made = double(x=item.a)
    return total(xs=dsl.Collected(made.output)).output


@pipeline
def loops_over_parts():
    with dsl.ParallelFor([{"l": ["1", "2"]}, {"l": ["3"]}, {"l": []}]) as item:
        with dsl.ParallelFor(item.l) as x:
            say(x=x)


@pipeline
def empty_loop(n: int = 0) -> list:
    with dsl.ParallelFor(numbers(n=n).output) as item:
        made = write(x=item)
        value = double(x=item)
    total(xs=dsl.Collected(value.output))
    return read_all(datas=dsl.Collected(made.outputs["data"])).output


@pipeline
def inner_data(n: int) -> List[Dataset]:
    with dsl.ParallelFor([1, 2]) as x:
        made = write(x=x)
    return dsl.Collected(made.outputs["data"])


@pipeline
def artifact_loop() -> list:
    made = inner_data(n=1)
    with dsl.ParallelFor(made.output, parallelism=1) as one:
        value = read(data=one)
    read_all(datas=made.output)
    return listed(xs=dsl.Collected(value.output)).output


@pipeline
def branches(which: str = "it's") -> str:
    with dsl.If(which == "a"):
        a = say(x="was a")
    with dsl.Elif(which == "it's"):
        b = say(x="was it's")
    with dsl.Else():
        c = say(x="was else")
    chosen = dsl.OneOf(a.output, b.output, c.output)
    say(x=chosen)
    return chosen


@pipeline
def artifact_branches(n: int = 3) -> Dataset:
    with dsl.If(n > 2):
        a = write(x=1)
    with dsl.Else():
        b = write(x=2)
    chosen = dsl.OneOf(a.outputs["data"], b.outputs["data"])
    read(data=chosen)
    return chosen


@pipeline
def typed_conditions(flag: bool = True, n: int = 5, r: float = 2.5, s: str = "x"):
    with dsl.If(flag == True):
        say(x="flag")
    with dsl.If(n >= 5):
        say(x="n")
    with dsl.If(r < 3):
        say(x="r")
    with dsl.If(n > 4.5):
        say(x="mixed")
    with dsl.If(flag == "true"):
        say(x="text")
    with dsl.If(s == 'a "b" {c} \n d'):
        say(x="s")


@pipeline
def exit_handler():
    status = status_of(note="exit")
    with dsl.ExitHandler(status, name="guard"):
        fail(message="broken")


@pipeline
def ignoring():
    failed = fail(message="broken")
    say(x="after").after(failed).ignore_upstream_failure()
    status_of(note="x").after(failed).ignore_upstream_failure()


@pipeline
def optional_inner(a: Optional[str] = None, b: int = 3) -> str:
    return optional(x=a, n=b).output


@pipeline
def optional_inputs():
    optional_inner()
    optional_inner(a="given")
    optional(n=1)


@pipeline
def imports(uri: str, who: str = "me"):
    one = dsl.importer(
        artifact_uri=uri,
        artifact_class=Dataset,
        reimport=False,
        metadata={"who": who, "list": [1, who], who: "key"},
    )
    dsl.importer(artifact_uri="gs://bucket/thing", artifact_class=Model, metadata={"k": 1})
    read(data=one.output)


@pipeline
def retried():
    fail(message="x").set_retry(2, backoff_duration="1s", backoff_factor=2.0)


@pipeline
def conditions_in_loops():
    with dsl.ParallelFor([1, 2, 3]) as x:
        with dsl.If(x == 2):
            same(x=x)
    with dsl.If(double(x=1).output == 2):
        with dsl.ParallelFor([1, 2]) as y:
            same(x=y)


@pipeline
def failing_loop() -> int:
    with dsl.ParallelFor([1, 2, 3]) as x:
        made = not_two(x=x)
    return total(xs=dsl.Collected(made.output)).output


@component
def pair(x: str) -> NamedTuple("Pair", [("a", str), ("b", list)]):
    return (x, [x, "z"])


@pipeline
def texts_of_items(n: int = 2):
    with dsl.ParallelFor(numbers(n=n).output) as item:
        say(x=f"v {item} {n}")
        with dsl.If(item == 1):
            say(x=f"w {item}")


@pipeline
def order_round_loops():
    first = say(x="first")
    with dsl.ParallelFor([1, 2]) as item:
        inside = same(x=item).after(first)
        say(x=first.output)
    say(x="last").after(inside)


@pipeline
def one_of_two(x: str) -> str:
    with dsl.If(x == "1"):
        yes = say(x="one")
    with dsl.Else():
        no = say(x="other")
    return dsl.OneOf(yes.output, no.output)


@pipeline
def sub_pipelines_in_loops(items: list = ["1", "2", "1"]) -> list:
    with dsl.ParallelFor(items) as item:
        chosen = one_of_two(x=item)
    return listed(xs=dsl.Collected(chosen.output)).output


@pipeline
def loop_in_exit_handler():
    status = status_of(note="loop")
    with dsl.ExitHandler(status):
        with dsl.ParallelFor([1, 2, 3], parallelism=1) as item:
            not_two(x=item)


@pipeline
def artifacts_of_nested_loops() -> list:
    with dsl.ParallelFor([1, 2]):
        with dsl.ParallelFor([3, 4]) as item:
            made = write(x=item)
    return read_all(datas=dsl.Collected(made.outputs["data"])).output


@pipeline
def three_levels() -> list:
    with dsl.ParallelFor([1, 2]):
        with dsl.ParallelFor([3]):
            with dsl.ParallelFor([5, 6]) as item:
                made = double(x=item)
    return listed(xs=dsl.Collected(made.output)).output


@pipeline
def conditions_in_conditions():
    made = pair(x="q")
    with dsl.ParallelFor(made.outputs["b"]) as item:
        say(x=item)
    with dsl.If(made.outputs["a"] == "q"):
        with dsl.If(made.outputs["a"] != "z"):
            say(x=made.outputs["a"])


@pipeline
def collected_from_conditions(threshold: int = 2) -> List[int]:
    with dsl.ParallelFor([1, 2, 3]) as item:
        with dsl.If(item >= threshold):
            made = double(x=item)
    with dsl.If(threshold == 2):
        added = total(xs=dsl.Collected(made.output))
    return dsl.Collected(added.output)


for one in PIPELINES:
    compiler.Compiler().compile(one, f"{sys.argv[1]}/{one.name}.yaml")
