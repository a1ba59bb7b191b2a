"""What a notebook's code does to its values, found without running it.

The cells are executed on abstract objects, in the order of the notebook: which names each segment
reads, binds and deletes, which objects it may change, and which names may lead to one object.
What belongs here: Python's meaning and what is known of libraries. What does not: steps, artifacts
and the pipeline spec, which `fairlead.pipelines.connections` makes of it.
"""
