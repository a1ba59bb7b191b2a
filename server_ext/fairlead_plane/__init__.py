"""The embedded control plane: the Kubernetes API of this machine, in one small process.

Here: the store, the one gate to it, the API server, the node that runs pods as processes, the
pipelines. Not here: anything of Jupyter, and anything that knows who calls. Clients meet the
plane at its API alone.

Parts beside each other (`api`, `node`, `pipelines`) meet through objects; `plane.py` puts them
together. The package must stay small in memory: no protobuf, no `kubernetes`, no pydantic, and
`cryptography` only in a short process of its own.
"""
