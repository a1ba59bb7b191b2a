"""What the nodes of TrainJobs and the launchers of MPIJobs are given, name by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fairlead_plane.controllers.training import mpi_children
from fairlead_plane.controllers.training.trainjob_build import build_objects
from fairlead_plane.controllers.training.trainjob_runtimes import builtin_runtimes

RUNTIMES = {runtime["metadata"]["name"]: runtime for runtime in builtin_runtimes()}
RANK = "metadata.annotations['batch.kubernetes.io/job-completion-index']"


def train_job(trainer: Any, **spec: Any) -> Any:
    """Build a TrainJob."""
    metadata = {"name": "job", "namespace": "team", "uid": "1", "annotations": {}}
    metadata["annotations"] = spec.pop("annotations", {})
    body = {"runtimeRef": {"name": "any"}, **spec}
    if trainer is not None:
        body["trainer"] = trainer
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": metadata,
        "spec": body,
    }


def build(runtime: Any, trainer: Any, **spec: Any) -> tuple[dict[str, Any], Any]:
    """Return the entries of `replicatedJobs` by name, and what they mount."""
    found = RUNTIMES[runtime] if isinstance(runtime, str) else runtime
    jobset, mounted = build_objects(train_job(trainer, **spec), found, "127.0.0.1", 20001)
    return {job["name"]: job for job in jobset["spec"]["replicatedJobs"]}, mounted


def container(job: Any) -> Any:
    """Return the first container of an entry of `replicatedJobs`, or of a pod."""
    pod = job["template"]["spec"]["template"] if "template" in job else job
    return pod["spec"]["containers"][0]


def values(one: Any) -> dict[str, str]:
    """Return variables by name; a reference by its path."""
    return {
        each["name"]: each["value"]
        if "value" in each
        else each["valueFrom"]["fieldRef"]["fieldPath"]
        for each in one["env"]
        if not each["name"].startswith("KUBEFLOW_TRAINER_SERVER")
    }


def test_torch_gives_the_names_of_torchrun_and_of_pytorchjob() -> None:
    jobs, _ = build("torch-distributed", {"numNodes": 3, "numProcPerNode": 2})
    assert values(container(jobs["node"])) == {
        "PET_NNODES": "3",
        "PET_NPROC_PER_NODE": "2",
        "PET_NODE_RANK": RANK,
        "PET_MASTER_ADDR": "127.0.0.1",
        "PET_MASTER_PORT": "20001",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "20001",
        "WORLD_SIZE": "3",
        "RANK": RANK,
    }
    spec = jobs["node"]["template"]["spec"]
    assert (spec["parallelism"], spec["completions"]) == (3, 3)


@pytest.mark.parametrize(
    ("limits", "processes"),
    [({}, "1"), ({"cpu": "4"}, "4"), ({"cpu": "2500m"}, "3"), ({"nvidia.com/gpu": "2"}, "auto")],
)
def test_torch_starts_as_many_processes_as_there_are_cores_or_gpus(
    limits: Any, processes: str
) -> None:
    jobs, _ = build("torch-distributed", {"resourcesPerNode": {"limits": limits}})
    assert values(container(jobs["node"]))["PET_NPROC_PER_NODE"] == processes


@pytest.mark.parametrize(
    ("trainer", "recipe", "config"),
    [
        ({}, "full_finetune_distributed", "llama3_2/1B_full"),
        ({"numProcPerNode": 1}, "full_finetune_single_device", "llama3_2/1B_full_single_device"),
        (
            {"args": ["model.lora_attn_modules=[q_proj]"]},
            "lora_finetune_distributed",
            "llama3_2/1B_lora",
        ),
        (
            {"args": ["model.quantize_base=True"], "numProcPerNode": 1},
            "lora_finetune_single_device",
            "llama3_2/1B_qlora_single_device",
        ),
    ],
)
def test_torchtune_is_told_recipe_and_rendezvous(trainer: Any, recipe: str, config: str) -> None:
    jobs, _ = build(
        "torchtune-llama3.2-1b",
        {"command": ["tune", "run"], **trainer},
        runtimeRef={"name": "torchtune-llama3.2-1b"},
    )
    found = container(jobs["node"])
    assert found["command"][:6] == [
        "tune", "run", "--rdzv_endpoint=127.0.0.1:20001", recipe, "--config", config,
    ]  # fmt: skip
    assert set(found["command"][6:]) == {
        "output_dir=/workspace/output",
        "tokenizer.path=/workspace/model/original/tokenizer.model",
        "checkpointer.checkpoint_dir=/workspace/model",
    }
    assert set(values(found)) == {"PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK"}


def test_jax_gives_the_names_of_both_generations() -> None:
    jobs, _ = build("jax-distributed", {"numNodes": 2})
    assert values(container(jobs["node"])) == {
        "JAX_NUM_PROCESSES": "2",
        "JAX_PROCESS_ID": RANK,
        "JAX_COORDINATOR_ADDRESS": "127.0.0.1:20001",
        "COORDINATOR_ADDRESS": "127.0.0.1",
        "COORDINATOR_PORT": "20001",
        "NUM_PROCESSES": "2",
        "PROCESS_ID": RANK,
    }


@pytest.mark.parametrize(("limits", "workers"), [({}, "2"), ({"nvidia.com/gpu": 4}, "8")])
def test_xgboost_has_a_worker_per_gpu_or_node(limits: Any, workers: str) -> None:
    trainer = {"numNodes": 2, "resourcesPerNode": {"limits": limits}}
    jobs, _ = build("xgboost-distributed", trainer)
    found = values(container(jobs["node"]))
    assert {name: found[name] for name in found if name.startswith("DMLC")} == {
        "DMLC_TRACKER_URI": "127.0.0.1",
        "DMLC_TRACKER_PORT": "20001",
        "DMLC_TASK_ID": RANK,
        "DMLC_NUM_WORKER": workers,
    }
    assert {name: found[name] for name in found if not name.startswith("DMLC")} == {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "20001",
        "WORLD_SIZE": "2",
        "RANK": RANK,
    }


def test_a_plain_runtime_gives_what_the_trainer_says_alone() -> None:
    plain = copy.deepcopy(RUNTIMES["torch-distributed"])
    plain["spec"]["mlPolicy"] = {"numNodes": 2}
    env = [{"name": "MINE", "value": "1"}]
    jobs, _ = build(plain, {"env": env, "image": "own:1", "command": ["run"], "args": ["fast"]})
    found = container(jobs["node"])
    assert values(found) == {"MINE": "1"}
    assert (found["image"], found["command"], found["args"]) == ("own:1", ["run"], ["fast"])
    assert jobs["node"]["template"]["spec"]["completions"] == 2


def test_a_name_of_the_other_generation_gives_way_to_the_users() -> None:
    jobs, _ = build("torch-distributed", {"env": [{"name": "WORLD_SIZE", "value": "mine"}]})
    assert values(container(jobs["node"]))["WORLD_SIZE"] == "mine"


def test_nodes_know_where_to_report_their_progress() -> None:
    jobs, _ = build("torch-distributed", {})
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    env = {each["name"]: each.get("value") for each in container(jobs["node"])["env"]}
    assert {name: env[name] for name in env if name.startswith("KUBEFLOW")} == {
        "KUBEFLOW_TRAINER_SERVER_URL": (
            "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)/apis/"
            "trainer.kubeflow.org/v1alpha1/namespaces/team/trainjobs/job/status"
        ),
        "KUBEFLOW_TRAINER_SERVER_CA_CERT": f"{account}/ca.crt",
        "KUBEFLOW_TRAINER_SERVER_TOKEN": f"{account}/token",
    }


def test_without_a_trainer_there_are_no_variables() -> None:
    jobs, _ = build("torch-distributed", None)
    assert container(jobs["node"])["env"] == []


def test_mpi_gives_the_launcher_a_hostfile_and_what_stands_for_ssh() -> None:
    jobs, (config,) = build("deepspeed-distributed", {"numNodes": 3, "numProcPerNode": 2})
    found = values(container(jobs["launcher"]))
    contract = {
        "OMPI_MCA_orte_default_hostfile": "/etc/mpi/hostfile",
        "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
        "OMPI_MCA_orte_set_default_slots": "2",
        "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
    }
    assert {name: found[name] for name in contract} == contract
    assert found["OMPI_MCA_plm_rsh_agent"] == "/etc/mpi/kubexec.sh"
    assert config["metadata"]["name"] == "job-mpi-hostfile"
    assert config["data"]["hostfile"] == (
        "job-launcher-0-0.job slots=2\njob-node-0-0.job slots=2\njob-node-0-1.job slots=2\n"
    )
    assert jobs["launcher"]["template"]["spec"]["completions"] == 1
    assert jobs["node"]["template"]["spec"]["completions"] == 2
    assert container(jobs["node"])["command"][0] == "sleep"


def test_initializers_get_uri_variables_and_secret() -> None:
    initializer = {
        "dataset": {
            "storageUri": "hf://a/b",
            "env": [{"name": "SPLIT", "value": "train"}],
            "secretRef": {"name": "token"},
        }
    }
    jobs, _ = build("torchtune-llama3.2-1b", {}, initializer=initializer)
    dataset, model = container(jobs["dataset-initializer"]), container(jobs["model-initializer"])
    assert values(dataset) == {"STORAGE_URI": "hf://a/b", "SPLIT": "train"}
    assert dataset["envFrom"] == [{"secretRef": {"name": "token"}}]
    assert values(model) == {"STORAGE_URI": "hf://meta-llama/Llama-3.2-1B-Instruct"}


def test_patches_are_merged_into_the_template_in_their_order() -> None:
    def patch(manager: str, pod: Any, **metadata: Any) -> Any:
        job = {"name": "node", "template": {"spec": {"template": {"spec": pod}}}}
        template = {"metadata": metadata, "spec": {"replicatedJobs": [job]}}
        return {"manager": manager, "trainingRuntimeSpec": {"template": template}}

    mount = {"name": "data", "mountPath": "/data"}
    volume = {"name": "data", "emptyDir": {}}
    patches = [
        patch("a.b/one", {"volumes": [volume], "nodeSelector": {"disk": "slow"}}),
        patch(
            "a.b/two",
            {
                "containers": [{"name": "node", "volumeMounts": [mount]}],
                "nodeSelector": {"disk": "fast"},
            },
            labels={"team": "red"},
        ),
    ]
    jobs, _ = build("torch-distributed", {"command": ["run"]}, runtimePatches=patches)
    pod = jobs["node"]["template"]["spec"]["template"]["spec"]
    assert pod["volumes"] == [volume]
    assert pod["nodeSelector"] == {"disk": "fast"}
    assert pod["containers"][0]["volumeMounts"] == [mount]
    assert pod["containers"][0]["image"].startswith("pytorch/pytorch")


@pytest.mark.parametrize("name", ["torch-distributed", "deepspeed-distributed"])
def test_nodes_of_a_pod_group_start_together(name: str) -> None:
    runtime = copy.deepcopy(RUNTIMES[name])
    runtime["spec"]["podGroupPolicy"] = {"coscheduling": {}}
    jobs, _ = build(runtime, {"numNodes": 4})  # of which a launcher is one
    metadata = jobs["node"]["template"]["spec"]["template"]["metadata"]
    assert metadata["labels"] == {"scheduling.x-k8s.io/pod-group": "job"}
    minimum = metadata["annotations"]["pod-group.scheduling.sigs.k8s.io/min-available"]
    assert minimum == "4"


def test_the_python_that_a_job_names_is_its_pods_python() -> None:
    annotations = {"fairlead.dev/interpreter": "/own/python", "other": "1"}
    jobs, _ = build("torch-distributed", {}, annotations=annotations)
    metadata = jobs["node"]["template"]["spec"]["template"]["metadata"]
    assert metadata["annotations"] == {"fairlead.dev/interpreter": "/own/python"}


def mpi_job(version: str, launcher: Any = None, **spec: Any) -> Any:
    """Build an MPIJob of two workers with two slots each, defaults in place."""

    def replica(count: int, more: Any) -> Any:
        one = {"name": "mpi", "image": "mpi:1", **more}
        return {"replicas": count, "template": {"spec": {"containers": [one]}}}

    if version == "v2beta1":
        spec = {"mpiImplementation": "OpenMPI", **spec}
    return {
        "apiVersion": f"kubeflow.org/{version}",
        "kind": "MPIJob",
        "metadata": {"name": "job", "namespace": "team", "uid": "1"},
        "spec": {
            "slotsPerWorker": 2,
            "mpiReplicaSpecs": {
                "Launcher": replica(1, launcher or {"command": ["mpirun"]}),
                "Worker": replica(2, {}),
            },
            **spec,
        },
    }


def contract_of(one: Any) -> dict[str, str]:
    """Return the variables that the operators give, without those of this machine alone."""
    local = ("OMPI_MCA_oob_tcp_if_include", "OMPI_MCA_btl_tcp_if_include")
    local += ("OMPI_MCA_hwloc_base_binding_policy", "OMPI_ALLOW_RUN_AS_ROOT")
    return {name: value for name, value in values(one).items() if not name.startswith(local)}


NO_GPUS = {"NVIDIA_VISIBLE_DEVICES": "", "NVIDIA_DRIVER_CAPABILITIES": ""}


def test_the_launcher_of_v1() -> None:
    job = mpi_job("v1")
    pod = mpi_children.build_launcher(job)
    assert pod["metadata"]["name"] == "job-launcher"
    assert contract_of(container(pod)) == {
        "OMPI_MCA_plm_rsh_agent": "/etc/mpi/kubexec.sh",
        "OMPI_MCA_orte_default_hostfile": "/etc/mpi/hostfile",
        "I_MPI_HYDRA_BOOTSTRAP": "rsh",
        "I_MPI_HYDRA_BOOTSTRAP_EXEC": "/etc/mpi/kubexec.sh",
        **NO_GPUS,
    }
    config = mpi_children.build_config(job, ["job-worker-1"])["data"]
    assert config["hostfile"] == "job-worker-0 slots=2\njob-worker-1 slots=2\n"
    assert config["discover_hosts.sh"] == "#!/bin/sh\necho job-worker-1:2\n"


def test_the_launcher_of_v1_leaves_what_the_manifest_sets() -> None:
    env = [{"name": "OMPI_MCA_plm_rsh_agent", "value": "/own"}]
    job = mpi_job("v1", {"env": env, "resources": {"limits": {"nvidia.com/gpu": 1}}})
    found = contract_of(container(mpi_children.build_launcher(job)))
    assert found["OMPI_MCA_plm_rsh_agent"] == "/own"
    assert not set(NO_GPUS) & set(found)
    hosts = mpi_children.build_config(job, [])["data"]["hostfile"]
    assert hosts.startswith("job-launcher slots=2\njob-worker-0 slots=2\n")


@pytest.mark.parametrize(
    ("implementation", "given", "agent", "line"),
    [
        (
            "OpenMPI",
            {
                "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
                "OMPI_MCA_orte_default_hostfile": "/etc/mpi/hostfile",
                "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
                "OMPI_MCA_orte_set_default_slots": "2",
            },
            {"OMPI_MCA_plm_rsh_agent": "/etc/mpi/kubexec.sh"},
            "job-worker-0.job.team.svc slots=2",
        ),
        (
            "Intel",
            {
                "I_MPI_HYDRA_HOST_FILE": "/etc/mpi/hostfile",
                "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS": "-o ConnectionAttempts=10",
                "I_MPI_PERHOST": "2",
            },
            {
                "I_MPI_HYDRA_BOOTSTRAP": "rsh",
                "I_MPI_HYDRA_BOOTSTRAP_EXEC": "/etc/mpi/kubexec.sh",
            },
            "job-worker-0.job.team.svc:2",
        ),
        (
            "MPICH",
            {
                "HYDRA_HOST_FILE": "/etc/mpi/hostfile",
                "HYDRA_LAUNCH_EXTRA_ARGS": "-o ConnectionAttempts=10",
            },
            {"HYDRA_LAUNCHER": "rsh", "HYDRA_LAUNCHER_EXEC": "/etc/mpi/kubexec.sh"},
            "job-worker-0.job.team.svc:2",
        ),
    ],
)
def test_the_launcher_of_v2(implementation: str, given: Any, agent: Any, line: str) -> None:
    job = mpi_job("v2beta1", mpiImplementation=implementation)
    launcher = mpi_children.build_launcher(job)
    assert launcher["kind"] == "Job"
    found = contract_of(container({"template": launcher}))
    # `agent` is what stands for ssh here, beside the operator's own.
    assert found == {"K_MPI_JOB_ROLE": "launcher", **given, **NO_GPUS, **agent}
    config = mpi_children.build_config(job, ["job-worker-0"])["data"]
    assert config["hostfile"].splitlines()[0] == line
    assert config["discover_hosts.sh"] == "#!/bin/sh\necho job-worker-0.job.team.svc\n"


def test_a_launcher_of_v2_that_works_too_is_a_host_and_keeps_its_gpus() -> None:
    job = mpi_job("v2beta1", runLauncherAsWorker=True)
    found = contract_of(container({"template": mpi_children.build_launcher(job)}))
    assert not set(NO_GPUS) & set(found)
    hosts = mpi_children.build_config(job, [])["data"]["hostfile"].splitlines()
    assert hosts[0] == "job-launcher.job.team.svc slots=2"


@pytest.mark.parametrize(
    ("version", "operator"), [("v1", "mpijob-controller"), ("v2beta1", "mpi-operator")]
)
def test_workers_are_named_and_labelled_as_by_their_operator(version: str, operator: str) -> None:
    pod = mpi_children.build_worker(mpi_job(version), 1)
    assert pod["metadata"]["name"] == "job-worker-1"
    assert pod["metadata"]["labels"] == {
        "training.kubeflow.org/job-name": "job",
        "training.kubeflow.org/job-role": "worker",
        "training.kubeflow.org/operator-name": operator,
        "training.kubeflow.org/replica-type": "worker",
        "training.kubeflow.org/replica-index": "1",
    }
    role = {"K_MPI_JOB_ROLE": "worker"} if version == "v2beta1" else {}
    assert contract_of({"env": [], **container(pod)}) == role


def test_replicas_of_a_scheduling_policy_start_together() -> None:
    policy = {"schedulingPolicy": {"priorityClass": "high"}}
    pod = mpi_children.build_worker(mpi_job("v1", runPolicy=policy), 0)
    assert pod["metadata"]["labels"]["scheduling.x-k8s.io/pod-group"] == "job"
    minimum = pod["metadata"]["annotations"]["pod-group.scheduling.sigs.k8s.io/min-available"]
    assert minimum == "3"
    assert pod["spec"]["priorityClassName"] == "high"
