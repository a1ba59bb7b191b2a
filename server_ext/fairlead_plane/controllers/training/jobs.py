"""The kinds of the training operator that run here."""

from __future__ import annotations

from .contract import Contract
from .engine import TrainingController
from .jax import JAX
from .mxnet import MXNET
from .paddle import PADDLE
from .pytorch import PYTORCH
from .tensorflow import TENSORFLOW
from .xgboost import XGBOOST

CONTRACTS: tuple[Contract, ...] = (TENSORFLOW, PYTORCH, PADDLE, MXNET, XGBOOST, JAX)


def training_controllers() -> list[TrainingController]:
    """Return one for each kind."""
    return [TrainingController(contract) for contract in CONTRACTS]
