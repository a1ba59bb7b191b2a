"""Answers of an API server as errors, in words."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from fairlead.errors import ClusterError, ConflictError, NotFoundError, SpecError
from fairlead.kube.errors import error_from_answer
from fairlead.kube.retry import Backoff


def status(code, message, reason="", **details):
    body = {"kind": "Status", "code": code, "message": message, "reason": reason}
    return json.dumps(body | ({"details": details} if details else {})).encode()


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        (400, SpecError, ""),
        (401, ClusterError, "log in again"),
        (403, ClusterError, "permission"),
        (404, NotFoundError, ""),
        (409, ConflictError, ""),
        (413, SpecError, ""),
        (422, SpecError, ""),
        (429, ClusterError, "busy"),
        (500, ClusterError, ""),
        (503, ClusterError, "try again"),
    ],
)
def test_each_answer_has_its_error_and_the_servers_words(code, kind, hint):
    error = error_from_answer(code, status(code, "what the server says"), "GET /x")
    assert type(error) is kind
    assert (error.what, error.code) == ("what the server says", code)
    assert hint in error.hint


def test_a_quota_has_a_way_out_of_its_own():
    message = 'pods "x" is forbidden: exceeded quota: team, requested: cpu=2, used: cpu=3'
    assert "quota" in error_from_answer(403, status(403, message, "Forbidden"), "").hint


def test_a_stale_write_and_a_foreign_field_have_different_ways_out():
    stale = error_from_answer(409, status(409, "modified", "Conflict"), "")
    causes = [{"reason": "FieldManagerConflict", "field": ".data.a", "message": "conflict"}]
    owned = error_from_answer(409, status(409, "conflict", "Conflict", causes=causes), "")
    taken = error_from_answer(409, status(409, "exists", "AlreadyExists"), "")
    assert "read it again" in stale.hint
    assert "force=True" in owned.hint
    assert taken.hint == ""


def test_the_fields_that_are_wrong_are_named():
    causes = [
        {"field": "spec.containers", "message": "Required value", "reason": "FieldValueRequired"},
        {"message": "without a field"},
    ]
    error = error_from_answer(422, status(422, "invalid", "Invalid", causes=causes), "")
    assert error.causes == (("spec.containers", "Required value"),)


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "soon"}, {}, None),
        ({"Retry-After": formatdate(0, usegmt=True)}, {}, 0.0),
        ({}, {}, None),
    ],
)
def test_the_wait_that_a_server_asks_for_is_read(headers, details, seconds):
    error = error_from_answer(429, status(429, "busy", "", **details), "", headers)
    assert error.retry_after_s == seconds


def test_a_body_that_is_no_status_is_shown_in_part_and_only_for_server_errors():
    assert "secret" not in error_from_answer(403, b"<p>secret</p>", "GET /x").what
    shown = error_from_answer(502, b"<p>upstream gone</p>" * 100, "GET /x").what
    assert "upstream gone" in shown
    assert len(shown) < 400


def test_a_token_that_a_proxy_prints_is_not_passed_on():
    body = b"request: Authorization: Bearer abc.def-ghi\nupstream gone"
    assert "abc.def-ghi" not in error_from_answer(502, body, "GET /x").what


def test_a_gateway_that_wants_a_login_is_told_as_such():
    error = error_from_answer(302, b"", "GET /api")
    assert type(error) is ClusterError
    assert "Log in" in error.hint


def test_pauses_grow_to_a_limit_and_begin_anew():
    backoff = Backoff(first_s=1.0, longest_s=4.0)
    pauses = [backoff.next() for _ in range(6)]
    for pause, most in zip(pauses, [1, 2, 4, 4, 4, 4], strict=True):
        assert most / 2 <= pause <= most
    assert backoff.next(at_least_s=9) == 9
    backoff.reset()
    assert backoff.next() <= 1.0
