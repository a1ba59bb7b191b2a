"""Which values travel between the steps, and in which artifacts.

Values are copied: a step has its own copy of what it takes. So a step waits only for the steps
whose values it uses, and two steps that read the same value run side by side. Names travel together
where that can be noticed: where they may share an object that a later step changes, or whose
identity matters. Such a group is handed on as one artifact by every step that changes any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from fairlead.pipelines.cells import CellStep, Layout
from fairlead.pipelines.check import find_cycle
from fairlead.pipelines.dataflow.accounts import Account
from fairlead.pipelines.dataflow.heap import Heap, Names
from fairlead.pipelines.dataflow.notebook import FIRST_STEP, Run
from fairlead.pipelines.definitions import Definition, Definitions
from fairlead.pipelines.parameters import ParameterCells
from fairlead.pipelines.slots import Slot, Source, slot_of


@dataclass
class StepPlan:
    """Everything that a step needs to run by itself."""

    step: CellStep
    parameters: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    inputs: list[Source] = field(default_factory=list)
    outputs: list[Slot] = field(default_factory=list)

    @property
    def depends_on(self) -> list[str]:
        """The steps that must have succeeded before."""
        return list(dict.fromkeys([source.step for source in self.inputs] + self.step.after))


@dataclass
class _Part:
    """What one segment of the notebook takes and gives."""

    segment: int
    step: str
    takes: set[str] = field(default_factory=set)
    slots: list[Slot] = field(default_factory=list)
    replays: dict[str, list[Definition]] = field(default_factory=dict)
    inputs: list[tuple[int, Slot, list[str]]] = field(default_factory=list)
    parameters: set[str] = field(default_factory=set)


def connect(layout: Layout, parameters: ParameterCells, run: Run) -> list[StepPlan]:
    """Find what each step takes, gives, and executes again."""
    accounts = run.machine.accounts
    parts = [_Part(FIRST_STEP + number, step) for number, (step, _) in enumerate(run.segments)]
    shared = _shared_objects(run)
    definitions = Definitions(layout, run, shared)
    live: set[str] = set()
    for part in reversed(parts):
        live = _look_back(part, accounts, run.machine.heap, shared, live, definitions)
    _add_results(parts, accounts, run)
    _look_forward(parts, accounts, parameters)
    _refuse_unfit(layout, parts, run)
    plans = _merge(layout, parts, run, definitions)
    _refuse_cycles(layout, plans)
    return plans


def _shared_objects(run: Run) -> set[int]:
    """Return the objects that change after their own segment, or whose identity matters."""
    heap = run.machine.heap
    found = set(run.machine.identity)
    for account in run.machine.accounts[FIRST_STEP:]:
        found.update(t for t in account.mutated if heap[t].segment != account.segment)
    return {t for t in found if heap[t].kind not in ("scalar", "import")}


def _groups(
    account: Account, heap: Heap, shared: set[int], live: set[str]
) -> list[tuple[set[str], set[int]]]:
    """Return the live names that may share changing objects after a segment, group by group."""
    bound = {name: account.names[name].value for name in live if name in account.names}
    within = heap.reach(set().union(*bound.values()))
    group_of: dict[int, int] = {}  # of a holder: one of the changing objects that it leads to
    joined: dict[int, int] = {}

    def root(thing: int) -> int:
        while joined[thing] != thing:
            thing = joined[thing]
        return thing

    for thing in sorted(shared & within):
        joined[thing] = thing
        waiting = [thing]
        while waiting:
            holder = waiting.pop()
            if holder in group_of:
                joined[root(group_of[holder])] = root(thing)
                continue
            group_of[holder] = thing
            above = heap.holders.get(holder, {})
            waiting.extend(
                h for h, since in above.items() if since <= account.segment and h in within
            )
    groups: dict[int, tuple[set[str], set[int]]] = {}
    for thing in joined:
        groups.setdefault(root(thing), (set(), set()))[1].add(thing)
    for name, value in bound.items():
        roots = {root(group_of[t]) for t in value if t in group_of}
        for other in sorted(roots)[1:]:
            first = min(roots)
            groups[first][0].update(groups[other][0])
            groups[first][1].update(groups.pop(other)[1])
            joined[other] = first
        if roots:
            groups[min(roots)][0].add(name)
    return sorted((g for g in groups.values() if g[0]), key=lambda group: min(group[0]))


def _look_back(
    part: _Part,
    accounts: list[Account],
    heap: Heap,
    shared: set[int],
    live: set[str],
    definitions: Definitions,
) -> set[str]:
    """Decide what a segment gives, from what is read later; return what must be there before."""
    account, before = accounts[part.segment], accounts[part.segment - 1].names
    given: set[str] = set()
    for names, things in _groups(account, heap, shared, live):
        if names & account.writes or things & account.mutated:
            part.slots.append(slot_of(names))
            given |= names
    # What the setup makes is there again in each step, which must hear that it is gone.
    again = accounts[FIRST_STEP - 1].names
    gone = {n for n in live & account.writes if n not in again and _gone(account, n)}
    rest = sorted((live & account.writes) - given - gone)
    part.slots.extend(slot_of(names) for names in _same_objects(rest, account.names, heap))
    given.update(rest)
    kept = {n for n in given if account.names[n].since != part.segment}
    for name in sorted(set(account.reads) | kept):
        replay = definitions.replay(name, before, part.segment)
        if replay is None:
            part.takes.add(name)
        else:
            part.replays[name] = replay
    return (live - given - gone) | part.takes


def _gone(account: Account, name: str) -> bool:
    binding = account.names.get(name)
    return binding is None or (not binding.value and binding.unbound and binding.since >= 0)


def _same_objects(names: list[str], bound: Names, heap: Heap) -> list[set[str]]:
    """Put names that certainly are the same object together: it travels once."""
    together: dict[object, set[str]] = {}
    for name in names:
        value = bound[name].value
        single = next(iter(value)) if len(value) == 1 else 0
        solid = heap[single].kind not in ("scalar", "import", "function", "class")
        together.setdefault(single if solid else name, set()).add(name)
    return list(together.values())


def _look_forward(parts: list[_Part], accounts: list[Account], parameters: ParameterCells) -> None:
    """Find where each name that a segment takes comes from."""
    latest: dict[str, tuple[int, Slot]] = {}
    changed: set[str] = set()
    common = accounts[FIRST_STEP - 1]
    always = set(common.reads) & set(parameters.parameters)
    for part in parts:
        part.parameters |= always
        wanted: dict[tuple[int, Slot], list[str]] = {}
        for name in sorted(part.takes):
            if name in latest:
                wanted.setdefault(latest[name], []).append(name)
            elif name in parameters.parameters and name not in changed:
                part.parameters.add(name)
        for (segment, slot), names in wanted.items():
            part.inputs.append((segment, slot, names))
        account = accounts[part.segment]
        for name in account.writes:
            latest.pop(name, None)
            changed.add(name)
        for slot in part.slots:
            for name in slot.names:
                latest[name] = (part.segment, slot)


def _add_results(parts: list[_Part], accounts: list[Account], run: Run) -> None:
    """Keep what the last steps assign, although no step reads it: it is the pipeline's result."""
    heap = run.machine.heap
    final = accounts[-1].names
    read = set().union(*[part.takes for part in parts]) if parts else set()
    for part in parts:
        account = accounts[part.segment]
        given = {name for slot in part.slots for name in slot.names}
        if any(not slot.optional for slot in part.slots):
            continue
        for name in sorted(set(account.plain_writes) - given - read):
            binding = account.names.get(name)
            if binding is None or binding != final.get(name) or binding.since != part.segment:
                continue
            things = [heap[t] for t in binding.value]
            drawn = any(t.path.startswith(("matplotlib", "seaborn")) for t in things)
            defined = any(t.kind in ("import", "function", "class") or t.unfit for t in things)
            if not (name.startswith("_") or drawn or defined):
                part.slots.append(slot_of({name}, optional=True))


def _refuse_unfit(layout: Layout, parts: list[_Part], run: Run) -> None:
    """Refuse values that are known to have no form outside their process."""
    cells = {cell.id: cell for cell in layout.cells}
    takers: dict[tuple[int, str], str] = {}
    for part in parts:
        for segment, _, names in part.inputs:
            for name in names:
                takers.setdefault((segment, name), part.step)
    for part in parts:
        bound = run.machine.accounts[part.segment].names
        for slot in part.slots:
            for name in slot.names:
                bad = run.machine.heap.unfit_part(bound[name].value) if name in bound else None
                if bad is None or slot.optional or (part.segment, name) not in takers:
                    continue
                taker = takers[part.segment, name]
                what = "is" if bad.id in bound[name].value else "holds"
                layout.refuse(
                    cells.get(bad.cell),
                    bad.line,
                    name,
                    f"`{name}` {what} {bad.unfit}, which exists in one process only, and step "
                    f"'{taker}' needs it from step '{part.step}'.",
                    f"Make it in step '{taker}', put it into a cell tagged `setup`, or join the "
                    "two steps; of an iterator, keep `list(...)`.",
                )


def _merge(
    layout: Layout, parts: list[_Part], run: Run, definitions: Definitions
) -> list[StepPlan]:
    """Make one plan of each step, from all its segments."""
    by_step: dict[str, list[_Part]] = {name: [] for name in layout.steps}
    step_of = {}
    for part in parts:
        by_step[part.step].append(part)
        step_of[part.segment] = part.step
    plans = []
    for name, step in layout.steps.items():
        own = by_step[name]
        if len(own) > 1:
            _refuse_split(layout, step, own, parts, run)
        plan = StepPlan(step)
        plan.parameters = sorted(set().union(*[part.parameters for part in own]))
        plan.definitions = definitions.for_step(name, [part.segment for part in own], own)
        keys: set[str] = set()
        for part in own:
            # Oldest first: a function or class that arrives twice is as its last artifact has it.
            for segment, slot, names in sorted(part.inputs, key=lambda given: given[0]):
                if step_of[segment] == name:
                    continue
                key, count = slot.key, 1
                while key in keys:
                    count += 1
                    key = f"{slot.key}-{count}"
                keys.add(key)
                changed = _changed(run, part.segment, names)
                source = (key, step_of[segment], slot, tuple(names))
                plan.inputs.append(Source(*source, tuple(n for n in names if n in changed)))
        wanted = {
            slot.key
            for other in parts
            for segment, slot, _ in other.inputs
            if step_of[segment] == name != other.step
        }
        for slot in (slot for part in own for slot in part.slots):
            if (slot.key in wanted or slot.optional) and slot not in plan.outputs:
                plan.outputs.append(slot)
        plans.append(plan)
    return plans


def _refuse_split(
    layout: Layout, step: CellStep, own: list[_Part], parts: list[_Part], run: Run
) -> None:
    """Refuse a step in several pieces where running it in one piece would give other values."""
    accounts = run.machine.accounts
    for number, later in enumerate(own[1:], 1):
        account = accounts[later.segment]
        changed = account.writes | _changed(run, later.segment, accounts[later.segment - 1].names)
        for earlier in own[:number]:
            used = accounts[earlier.segment].writes | set(accounts[earlier.segment].reads)
            for other in parts:
                if other.step == step.name:
                    continue
                slots = [slot for s, slot, _ in other.inputs if s == earlier.segment]
                names = {n for slot in slots for n in slot.names}
                _refuse_name(layout, step, later, other, names & changed)
            cells = {cell.id for cell in step.cells}
            foreign = {
                name
                for name, found in later.replays.items()
                if any(d.cell_id not in cells for d in found)
            }
            _refuse_name(layout, step, later, later, foreign & used)
            for segment, _, names_taken in later.inputs:
                source = next(part for part in parts if part.segment == segment)
                if source.step != step.name:
                    _refuse_name(layout, step, later, source, set(names_taken) & used)


def _changed(run: Run, segment: int, names: Iterable[str]) -> set[str]:
    """Return those names from before a segment whose objects it may change."""
    machine = run.machine
    holders = machine.heap.reaching(machine.accounts[segment].mutated, segment)
    bound = machine.accounts[segment - 1].names
    return {name for name in names if name in bound and bound[name].value & holders}


def _refuse_name(
    layout: Layout, step: CellStep, later: _Part, other: _Part, names: set[str]
) -> None:
    for name in sorted(names):
        cell = step.cells[-1]
        layout.refuse(
            cell,
            0,
            name,
            f"Step '{step.name}' goes on here, and `{name}` means something else than in its "
            f"cells before: run in one piece, step '{other.step}' would see another value.",
            "Give this cell a step name of its own.",
        )


def _refuse_cycles(layout: Layout, plans: list[StepPlan]) -> None:
    circle = find_cycle({plan.step.name: set(plan.depends_on) for plan in plans})
    if not circle:
        return
    by_name = {plan.step.name: plan for plan in plans}
    reasons = []
    for waiting, awaited in pairwise(circle):
        names = {n for s in by_name[waiting].inputs if s.step == awaited for n in s.bind}
        what = ", ".join(f"`{n}`" for n in sorted(names)) or "its `after`"
        reasons.append(f"'{waiting}' waits for '{awaited}' ({what})")
    layout.refuse(
        by_name[circle[0]].step.cells[0],
        0,
        circle[0],
        f"The steps wait for each other: {'; '.join(reasons)}.",
        "Move the cells that belong together into one step, or drop an `after`.",
    )
