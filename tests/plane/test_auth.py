"""Users, tokens and access: pods act as their service accounts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from fairlead_plane.tokens import Tokens, account_claims

WHO = """
from kubernetes import client, config
config.load_{how}()
me = client.AuthenticationV1Api().create_self_subject_review(client.V1SelfSubjectReview())
print(me.status.user_info.username)
print(sorted(me.status.user_info.extra))
core = client.CoreV1Api()
core.create_namespaced_config_map({namespace!r}, {{"metadata": {{"name": "mine"}}}})
print(len(core.list_namespaced_pod({namespace!r}).items), len(core.list_node().items))
for call in (lambda: core.list_namespaced_pod("default"), lambda: core.list_namespace(),
             lambda: core.delete_node("x")):
    try:
        call(); print("allowed")
    except client.ApiException as error:
        print(error.status, __import__("json").loads(error.body)["message"])
"""


@pytest.fixture
def account(core, namespace):
    """A service account `robot`, and a client with a token of it."""
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "robot"}})
    return f"system:serviceaccount:{namespace}:robot"


@pytest.fixture
def robot(shared_plane, core, namespace, account):
    """A client that is the service account `robot`."""
    return as_account(shared_plane, core, namespace)


def as_account(plane, core, namespace, **spec):
    request = {"spec": {"audiences": [], "expirationSeconds": 3600, **spec}}
    made = core.create_namespaced_service_account_token("robot", namespace, request)
    return with_token(plane, made.status.token)


def with_token(plane, token):
    settings = client.Configuration(host=f"https://127.0.0.1:{plane.port}")
    settings.ssl_ca_cert = str(plane.data_dir / "ca.crt")
    settings.api_key = {"authorization": f"Bearer {token}"}
    return client.ApiClient(settings)


def refusal(call, *arguments, **options):
    with pytest.raises(ApiException) as refused:
        call(*arguments, **options)
    return refused.value.status, json.loads(refused.value.body)


def kubectl(plane, *words, check=True, **options):
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(plane.kubeconfig), *words],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout if check else (done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(
            "incluster_config",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no mount namespaces"),
        ),
        "kube_config",
    ],
)
def test_a_script_in_a_pod_calls_the_api_as_on_a_cluster(pods, how) -> None:
    lines = pods.output("pod", WHO.format(how=how, namespace=pods.namespace)).splitlines()
    user = f"system:serviceaccount:{pods.namespace}:default"
    assert lines == [
        user,
        str(
            [
                "authentication.kubernetes.io/credential-id",
                "authentication.kubernetes.io/pod-name",
                "authentication.kubernetes.io/pod-uid",
            ]
        ),
        "1 1",
        f'403 pods is forbidden: User "{user}" cannot list resource "pods" in API group "" in the '
        'namespace "default"',
        "allowed",
        f'403 nodes "x" is forbidden: User "{user}" cannot delete resource "nodes" in API group "" '
        "at the cluster scope",
    ]


def test_kubectl_in_a_pod_is_in_the_namespace_of_the_pod(pods) -> None:
    container = {"command": ["sh", "-c", "kubectl get pods -o name; kubectl auth whoami -o name"]}
    pod = pods.run("pod", container=container)
    assert pod.status.phase == "Succeeded", pods.log("pod")
    assert pods.log("pod").splitlines()[0] == "pod/pod"


def test_a_pod_that_wants_no_token_gets_none(pods) -> None:
    source = (
        "import os\nprint('KUBECONFIG' in os.environ,"
        " os.path.exists('/var/run/secrets/kubernetes.io'))"
    )
    assert pods.output("pod", source, automountServiceAccountToken=False) == "False False\n"


def test_a_plain_step_of_a_pipeline_gets_no_namespace_of_its_own(pods) -> None:
    source = (
        "import os\n"
        "print(os.readlink('/proc/self/ns/mnt'), os.path.exists(os.environ['KUBECONFIG']))"
    )
    step = {"labels": {"fairlead.dev/task": "train"}}
    assert pods.output("pod", source, metadata=step) == f"{os.readlink('/proc/self/ns/mnt')} True\n"


def test_a_token_ends_with_its_pod(shared_plane, pods) -> None:
    source = "import os; print(open('/var/run/secrets/kubernetes.io/serviceaccount/token').read())"
    token = pods.output("pod", source).strip()
    core = client.CoreV1Api(with_token(shared_plane, token))
    assert core.list_namespaced_pod(pods.namespace).items
    pods.core.delete_namespaced_pod("pod", pods.namespace, grace_period_seconds=0)
    assert refusal(core.list_namespaced_pod, pods.namespace)[0] == 401


def test_a_token_has_the_claims_of_a_cluster_and_cannot_be_forged(
    shared_plane, core, namespace, account
) -> None:
    request = {"spec": {"audiences": [], "expirationSeconds": 3600}}
    made = core.create_namespaced_service_account_token("robot", namespace, request)
    head, body, signature = made.status.token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==="))
    uid = core.read_namespaced_service_account("robot", namespace).metadata.uid
    assert claims["sub"] == account
    assert claims["iss"] == "https://kubernetes.default.svc"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"] == {
        "namespace": namespace,
        "serviceaccount": {"name": "robot", "uid": uid},
    }
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    foreign = Tokens(b"another key").issue(account_claims(namespace, "robot", uid, lasts_s=3600))
    ours = Tokens((shared_plane.data_dir / "token.key").read_bytes())
    old = ours.issue(account_claims(namespace, "robot", uid, lasts_s=-1))
    elsewhere = ours.issue(account_claims(namespace, "robot", uid, lasts_s=60, audiences=["x"]))
    for bad in (
        f"{head}.{body}.",
        f"{none}.{body}.",
        f"{head}.{body[:-4]}AAAA.{signature}",
        *(foreign, old, elsewhere, "", "x.y", "é.é.é"),
    ):
        status, _ = shared_plane.request(
            "/api/v1/nodes", {"Authorization": f"Bearer {bad}".encode()}
        )
        assert status == 401, bad
    core.delete_namespaced_service_account("robot", namespace)
    status, _ = shared_plane.request(
        "/api/v1/nodes", {"Authorization": f"Bearer {made.status.token}"}
    )
    assert status == 401


def test_a_service_account_owns_its_namespace_but_for_what_limits_it(
    robot, namespace, account
) -> None:
    core = client.CoreV1Api(robot)
    core.create_namespaced_secret(namespace, {"metadata": {"name": "s"}})
    assert client.AppsV1Api(robot).list_namespaced_deployment(namespace).items == []
    code, status = refusal(client.AppsV1Api(robot).list_deployment_for_all_namespaces)
    assert (code, status["reason"], status["details"]) == (
        403,
        "Forbidden",
        {"group": "apps", "kind": "deployments"},
    )
    assert status["message"] == (
        f'deployments.apps is forbidden: User "{account}" cannot list resource "deployments" in '
        'API group "apps" at the cluster scope'
    )
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    assert refusal(core.create_namespaced_resource_quota, namespace, quota)[0] == 403
    assert refusal(core.delete_namespace, namespace)[0] == 403
    assert refusal(core.read_namespaced_pod_log, "x", "default")[1]["message"] == (
        f'pods "x" is forbidden: User "{account}" cannot get resource "pods/log" in API group "" '
        'in the namespace "default"'
    )


def test_roles_and_bindings_give_more(shared_plane, core, robot, account, namespace) -> None:
    rbac = client.RbacAuthorizationV1Api(core.api_client)
    there = client.CoreV1Api(robot)
    assert refusal(there.list_namespaced_config_map, "default")[0] == 403
    role = {
        "metadata": {"name": f"reader-{namespace}"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "get"]}],
    }
    rbac.create_namespaced_role("default", role)
    binding = {
        "metadata": {"name": f"reader-{namespace}"},
        "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": namespace}],
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": f"reader-{namespace}",
        },
    }
    try:
        rbac.create_namespaced_role_binding("default", binding)
        there.list_namespaced_config_map("default")
        assert refusal(there.delete_namespaced_config_map, "x", "default")[0] == 403
        said = kubectl(
            shared_plane, "auth", "can-i", "list", "configmaps", "-n", "default", "--as", account
        )
        assert said == "yes\n"
        binding["roleRef"] |= {"kind": "ClusterRole", "name": "view"}
        binding["metadata"]["name"] += "-2"
        rbac.create_namespaced_role_binding("default", binding)
        there.list_namespaced_pod("default")
    finally:
        rbac.delete_collection_namespaced_role_binding("default")
        rbac.delete_collection_namespaced_role("default")


def test_kubectl_asks_what_it_may_do(shared_plane, namespace, account) -> None:
    assert kubectl(shared_plane, "auth", "can-i", "delete", "nodes") == "yes\n"
    as_robot = ["--as", account, "-n", namespace]
    assert kubectl(shared_plane, "auth", "can-i", "create", "pods", *as_robot) == "yes\n"
    code, text = kubectl(
        shared_plane, "auth", "can-i", "create", "pods", "--as", account, check=False
    )
    assert (code, text) == (1, "no\n")
    listed = kubectl(shared_plane, "auth", "can-i", "--list", *as_robot)
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
    assert "*.*" in listed
    who = kubectl(shared_plane, "auth", "whoami")
    assert "fairlead-admin" in who
    assert "[system:masters system:authenticated]" in who
    token = kubectl(shared_plane, "create", "token", "robot", "-n", namespace).strip()
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    made = kubectl(
        shared_plane,
        *("create", "-f", "-", "-o", "json", "--validate=false"),
        input=json.dumps(review),
    )
    status = json.loads(made)["status"]
    assert (status["authenticated"], status["user"]["username"]) == (True, account)


def test_reviews_answer_for_others_and_refuse_what_makes_no_sense(core, namespace, account) -> None:
    access = client.AuthorizationV1Api(core.api_client)
    attributes = {"verb": "get", "resource": "pods", "namespace": namespace}
    spec = {"user": account, "resourceAttributes": attributes}
    asked = access.create_subject_access_review({"spec": spec})
    assert asked.status.allowed is True
    asked = access.create_namespaced_local_subject_access_review(
        namespace, {"metadata": {"namespace": namespace}, "spec": {**spec, "user": "nobody"}}
    )
    assert asked.status.allowed is False
    code, status = refusal(access.create_self_subject_access_review, {"spec": {}})
    assert (code, status["reason"]) == (422, "Invalid")
    assert "exactly one of nonResourceAttributes or resourceAttributes" in status["message"]
    paths = {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}}
    asked = access.create_subject_access_review({"spec": {"user": account, **paths}})
    assert asked.status.allowed is False
    asked = access.create_self_subject_access_review({"spec": paths})
    assert asked.status.allowed is True


def test_only_the_administrator_acts_as_others(shared_plane, robot, account, namespace) -> None:
    robot.default_headers["Impersonate-User"] = "system:admin"
    code, status = refusal(client.CoreV1Api(robot).list_node)
    assert (code, status["message"]) == (
        403,
        f'users "system:admin" is forbidden: User "{account}" cannot impersonate resource "users" '
        'in API group "" at the cluster scope',
    )


def test_a_pod_reaches_the_pipelines(pods) -> None:
    source = (
        "import os, ssl, urllib.request as r, yaml\n"
        "here = yaml.safe_load(open(os.environ['KUBECONFIG']))\n"
        "token = here['users'][0]['user']['token']\n"
        "host = here['clusters'][0]['cluster']['server']\n"
        "tls = ssl.create_default_context(cafile="
        "'/var/run/secrets/kubernetes.io/serviceaccount/ca.crt')\n"
        "for path in ('/api/v1/namespaces/kubeflow/services/http:ml-pipeline:8888/proxy', ''):\n"
        "    url = host + path + '/apis/v2beta1/experiments'\n"
        "    asked = r.Request(url, headers={'Authorization': 'Bearer ' + token})\n"
        "    print(r.urlopen(asked, context=tls).status)"
    )
    assert pods.output("pod", source) == "200\n200\n"
