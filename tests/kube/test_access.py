"""Access reviews: may I?"""

from __future__ import annotations

import pytest

GROUP = "authorization.k8s.io/v1"


def review(server, kind, plural, spec):
    body = {"apiVersion": GROUP, "kind": kind, "spec": spec}
    return server.at(plural, None, GROUP).create(body)


def test_who_may_all_is_told_so(server, namespace):
    attributes = {"namespace": namespace, "verb": "create", "resource": "configmaps"}
    answer = review(
        server,
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        {"resourceAttributes": attributes},
    )
    assert answer.status == 201
    found = answer.json
    assert (found["kind"], found["status"]["allowed"]) == ("SelfSubjectAccessReview", True)
    assert found["spec"]["resourceAttributes"] == attributes


def test_paths_are_reviewed_too(server):
    spec = {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}}
    answer = review(server, "SelfSubjectAccessReview", "selfsubjectaccessreviews", spec)
    assert answer.ok()["status"]["allowed"] is True


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {
            "resourceAttributes": {"verb": "get", "resource": "pods"},
            "nonResourceAttributes": {"path": "/x", "verb": "get"},
        },
    ],
)
def test_a_review_asks_for_one_thing(server, spec):
    answer = review(server, "SelfSubjectAccessReview", "selfsubjectaccessreviews", spec)
    assert answer.refusal[:2] == (422, "Invalid")
    assert (
        "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        in answer.message
        or "cannot be specified in combination with resourceAttributes" in answer.message
    )


def test_reviews_are_not_kept(server):
    assert server.at("selfsubjectaccessreviews", None, GROUP).list().status in (404, 405)


def test_all_rules_of_a_namespace_are_told(server, namespace):
    answer = review(
        server, "SelfSubjectRulesReview", "selfsubjectrulesreviews", {"namespace": namespace}
    )
    status = answer.ok()["status"]
    assert {"*"} in [set(each["verbs"]) for each in status["resourceRules"]]
    assert status["nonResourceRules"]
    assert "incomplete" in status


@pytest.mark.needs("the review of oneself", minor=28)
def test_who_am_i(server):
    group = "authentication.k8s.io/v1"
    body = {"apiVersion": group, "kind": "SelfSubjectReview"}
    found = server.at("selfsubjectreviews", None, group).create(body).ok()
    assert found["status"]["userInfo"]["username"]
    assert "system:authenticated" in found["status"]["userInfo"]["groups"]


def test_a_service_account_may_what_its_namespace_allows(server, pod_namespace):
    """Asked for another user."""
    user = f"system:serviceaccount:{pod_namespace}:default"
    attributes = {"namespace": "kube-system", "verb": "delete", "resource": "secrets"}
    spec = {"user": user, "resourceAttributes": attributes}
    found = review(server, "SubjectAccessReview", "subjectaccessreviews", spec).ok()
    assert found["status"]["allowed"] is False
