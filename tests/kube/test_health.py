"""Health and metrics."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_a_healthy_server_says_ok(server, path):
    answer = server.get(path, headers={"Accept": "*/*"})
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_asked_at_length_it_names_its_checks(server, path):
    answer = server.get(path, headers={"Accept": "*/*"}, verbose="")
    lines = answer.body.decode().splitlines()
    assert answer.status == 200
    assert "[+]ping ok" in lines
    assert lines[-1] == f"{path.strip('/')} check passed"


def test_metrics_are_in_the_form_of_prometheus(server):
    answer = server.get("/metrics", headers={"Accept": "*/*"})
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    assert any(line.startswith("apiserver_request_total{") for line in lines)
    assert "# TYPE apiserver_request_total counter" in lines
