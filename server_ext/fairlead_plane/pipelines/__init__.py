"""Pipeline runs: the interpreter of KFP's IR and KFP's REST `v2beta1`.

Here: reading and checking a pipeline spec (`spec`, `links`, `executors`), the state machine of a
run (`engine`), the loop around it (`controller`), runs, tasks, artifacts and lineage in tables,
the cache, the REST. Not here: starting a process; a task is a Pod object, and the node runs it.
"""

from .service import PipelineService

__all__ = ["PipelineService"]
