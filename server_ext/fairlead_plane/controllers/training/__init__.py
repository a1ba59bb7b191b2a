"""Distributed training: what the operators of Kubeflow do on a cluster.

Here: from a training job to pods, with the variables and files that each replica is given, and
back to its status. Not here: where pods run, and when they fit (`scheduler`, `node`).
"""
