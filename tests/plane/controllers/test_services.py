"""Endpoints of services, and what every namespace has."""

from __future__ import annotations

from kubernetes import client

from .conftest import template


def service(**spec):
    return {
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"app": "web"},
            "ports": [{"port": 80, "targetPort": "http"}],
            **spec,
        },
    }


def pod(name, port):
    ports = [{"name": "http", "containerPort": port}]
    manifest = template(
        labels={"app": "web"}, container={"ports": ports}, terminationGracePeriodSeconds=0
    )
    manifest["metadata"]["name"] = name
    return manifest


def addresses(workloads):
    found = workloads.core.read_namespaced_endpoints("web", workloads.namespace)
    return {
        (address.target_ref.name, address.ip, port.port)
        for subset in found.subsets or ()
        for address in subset.addresses or ()
        for port in subset.ports or ()
    }


def test_a_service_lists_the_pods_that_are_ready(workloads) -> None:
    workloads.core.create_namespaced_service(workloads.namespace, service())
    workloads.core.create_namespaced_pod(workloads.namespace, pod("one", 8001))
    workloads.core.create_namespaced_pod(workloads.namespace, pod("two", 8002))
    both = {("one", "127.0.0.1", 8001), ("two", "127.0.0.1", 8002)}

    def listed():
        try:
            return addresses(workloads) == both
        except client.ApiException:
            return False  # not made yet

    workloads.wait_for(listed)
    slices = client.DiscoveryV1Api(workloads.plane.api())
    [found] = slices.list_namespaced_endpoint_slice(
        workloads.namespace, label_selector="kubernetes.io/service-name=web"
    ).items
    assert {each.target_ref.name for each in found.endpoints} == {"one", "two"}
    assert all(each.conditions.ready for each in found.endpoints)
    workloads.core.delete_namespaced_pod("one", workloads.namespace)
    workloads.wait_for(lambda: addresses(workloads) == {("two", "127.0.0.1", 8002)})
    workloads.core.delete_namespaced_service("web", workloads.namespace)

    def gone():
        known = workloads.core.list_namespaced_endpoints(workloads.namespace).items
        left = slices.list_namespaced_endpoint_slice(workloads.namespace).items
        return not known and not left

    workloads.wait_for(gone)


def test_endpoints_of_a_service_without_a_selector_are_left_alone(workloads) -> None:
    workloads.core.create_namespaced_service(workloads.namespace, service(selector=None))
    mine = {
        "metadata": {"name": "web"},
        "subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 9}]}],
    }
    workloads.core.create_namespaced_endpoints(workloads.namespace, mine)
    patch = {"metadata": {"labels": {"seen": "yes"}}}
    workloads.core.patch_namespaced_service("web", workloads.namespace, patch)
    found = workloads.core.read_namespaced_endpoints("web", workloads.namespace)
    assert found.subsets[0].addresses[0].ip == "10.0.0.1"


def test_a_namespace_has_a_service_account_and_the_certificate(workloads) -> None:
    core, namespace = workloads.core, workloads.namespace

    def names(items):
        return [each.metadata.name for each in items]

    workloads.wait_for(
        lambda: names(core.list_namespaced_service_account(namespace).items) == ["default"]
    )
    workloads.wait_for(
        lambda: names(core.list_namespaced_config_map(namespace).items) == ["kube-root-ca.crt"]
    )
    core.delete_namespaced_service_account("default", namespace)
    core.delete_namespaced_config_map("kube-root-ca.crt", namespace)
    found = workloads.wait_for(lambda: core.list_namespaced_config_map(namespace).items)
    assert found[0].data["ca.crt"] == (workloads.plane.data_dir / "ca.crt").read_text()
    workloads.wait_for(lambda: core.list_namespaced_service_account(namespace).items)
