"""The command of torchtune, which takes the topology as arguments; pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from ...resources.admission_training import TORCHTUNE_FIXED, torchtune_model
from .trainjob_policies import Topology, gpus, processes_per_node

ENTRYPOINT = ["tune", "run"]


def torchtune_command(
    runtime: str, runtime_command: Sequence[str], args: Sequence[str], topology: Topology
) -> list[str]:
    """Return the whole command, without the job's own arguments.

    Parameters
    ----------
    runtime : str
        Name of the runtime, which names the model: `torchtune-llama3.2-1b`.
    runtime_command : sequence of str
        What the runtime would run: where model and output are stays as it says.
    args : sequence of str
        `trainer.args`: whether adapters are trained, and on quantized weights.
    topology : Topology
        Nodes, processes and rendezvous.
    """
    recipe, suffix = _recipe(args, topology)
    kept = [word for word in runtime_command if word.partition("=")[0] in TORCHTUNE_FIXED]
    return [
        *ENTRYPOINT,
        f"--rdzv_endpoint={topology.host}:{topology.port}",
        recipe,
        "--config",
        f"{torchtune_model(runtime)}{suffix}",
        *kept,
    ]


def _recipe(args: Sequence[str], topology: Topology) -> tuple[str, str]:
    """Return the recipe, and what its configuration's name ends with."""
    if topology.nodes > 1:
        return "full_finetune_distributed", "_full_multinode"
    single = processes_per_node(topology) == "1" or gpus(topology.resources) == 1
    where, end = ("single_device", "_single_device") if single else ("distributed", "")
    quantized = any("quantize_base" in word for word in args)
    if quantized and not any("use_dora" in word for word in args):
        return f"lora_finetune_{where}", f"_qlora{end}"
    if any("lora_attn_modules" in word for word in args):
        return f"lora_finetune_{where}", f"_lora{end}"
    return f"full_finetune_{where}", f"_full{end}"
