"""`trainer.kubeflow.org`: TrainJob, and the runtimes that it names."""

from __future__ import annotations

from ...kinds import Json
from .jobset import jobset_spec
from .shapes import (
    BOOLEAN,
    CORE,
    LABELS,
    QUANTITIES,
    STRING,
    TIME,
    conditions,
    items,
    number,
    obj,
    one_of,
    ref,
    table,
    template_metadata,
    text,
)

GROUP = "trainer.kubeflow.org"
MANAGER = f"{GROUP}/trainjob-controller"


def schemas() -> dict[tuple[str, str], Json]:
    """Return the schemas of the group, by version and kind."""
    runtime = obj(spec=_runtime_spec())
    return {
        ("v1alpha1", "TrainJob"): obj(
            spec=_train_job_spec(), status={**_status(), "minProperties": 1}
        ),
        ("v1alpha1", "TrainingRuntime"): runtime,
        ("v1alpha1", "ClusterTrainingRuntime"): runtime,
    }


def _train_job_spec() -> Json:
    return obj(
        required=("runtimeRef",),
        activeDeadlineSeconds=number(1, "int64"),
        initializer=obj(dataset=_initializer(), model=_initializer()),
        managedBy=text(253, default=MANAGER),
        runtimePatches=table(_patch(), "manager", most=16),
        runtimeRef=obj(
            required=("name",),
            apiGroup=text(253, default=GROUP),
            kind=text(253, default="ClusterTrainingRuntime"),
            name=text(253, 1),
        ),
        suspend={**BOOLEAN, "default": False},
        trainer=obj(
            args=items(text(1048576), 128),
            command=items(text(1048576), 128),
            env=_env(),
            image=text(500),
            numNodes=number(),
            numProcPerNode=number(),
            resourcesPerNode=obj(
                claims=table(obj(required=("name",), name=STRING, request=STRING), "name"),
                limits=QUANTITIES,
                requests=QUANTITIES,
            ),
        ),
    )


def _env() -> Json:
    return table(ref(f"{CORE}EnvVar"), "name", most=128)


def _initializer() -> Json:
    return obj(
        env=_env(),
        secretRef={
            **obj(name={"type": "string", "default": ""}),
            "x-kubernetes-map-type": "atomic",
        },
        storageUri=text(2048),
    )


def _patch() -> Json:
    containers = obj(
        required=("name",),
        env=_env(),
        name=text(253, 1),
        securityContext=ref(f"{CORE}SecurityContext"),
        volumeMounts=table(ref(f"{CORE}VolumeMount"), "mountPath", most=128),
    )
    pod = obj(
        affinity=ref(f"{CORE}Affinity"),
        containers=table(containers, "name", most=64),
        imagePullSecrets=table(ref(f"{CORE}LocalObjectReference"), "name", most=64),
        initContainers=table(containers, "name", most=64),
        nodeSelector=LABELS,
        schedulingGates=table(ref(f"{CORE}PodSchedulingGate"), "name", most=16),
        securityContext=ref(f"{CORE}PodSecurityContext"),
        serviceAccountName=text(253),
        terminationGracePeriodSeconds=number(0, "int64"),
        tolerations=items(ref(f"{CORE}Toleration"), 128),
        volumes=table(ref(f"{CORE}Volume"), "name", most=128),
    )
    job = obj(
        metadata=template_metadata(),
        spec=obj(template=obj(metadata=template_metadata(), spec=pod)),
    )
    jobs = table(obj(required=("name",), name=text(253, 1), template=job), "name", most=100)
    return obj(
        required=("manager",),
        manager=text(253, 1),
        time=TIME,
        trainingRuntimeSpec=obj(
            template=obj(metadata=template_metadata(), spec=obj(replicatedJobs=jobs))
        ),
    )


def _status() -> Json:
    count = number(0)
    job = obj(
        required=("active", "failed", "name", "ready", "succeeded", "suspended"),
        active=count, failed=count, name=text(253, 1), ready=count, succeeded=count,
        suspended=count,
    )  # fmt: skip
    metric = obj(required=("name", "value"), name=text(64, 1), value=text(64, 1))
    return obj(
        conditions=conditions(8),
        jobsStatus=table(job, "name", most=100),
        trainerStatus=obj(
            estimatedRemainingSeconds=count,
            lastUpdatedTime=TIME,
            metrics=items(metric, 256),
            progressPercentage=number(0, maximum=100),
        ),
    )


def _runtime_spec() -> Json:
    targets = obj(
        required=("containerNames", "jobName"),
        containerNames={
            **items(text(63), 8, minItems=1), "x-kubernetes-list-type": "set",
        },
        jobName=text(253, 1),
    )  # fmt: skip
    policy = obj(
        flux=obj(numProcPerNode=number(default=1)),
        jax=obj(),
        mpi=obj(
            mpiImplementation=one_of("OpenMPI", "", default="OpenMPI"),
            numProcPerNode=number(default=1),
            runLauncherAsNode={**BOOLEAN, "default": False},
            sshAuthMountPath=text(4096, default="/root/.ssh"),
        ),
        numNodes=number(),
        torch=obj(envInjection=obj(targets=table(targets, "jobName", most=16))),
        xgboost=obj(),
    )
    topology = obj(
        highestTierAllowed={"type": "integer", "default": 1},
        mode=one_of("hard", "soft", default="hard"),
    )
    spec = obj(
        mlPolicy=policy,
        podGroupPolicy=obj(
            coscheduling=obj(scheduleTimeoutSeconds=number(default=60)),
            volcano=obj(networkTopology=topology),
        ),
        template={**obj(metadata=template_metadata(), spec=jobset_spec()), "minProperties": 1},
    )
    return {**spec, "minProperties": 1}
