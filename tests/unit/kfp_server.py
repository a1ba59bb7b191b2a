"""A stand-in that answers as a Kubernetes API server with Kubeflow Pipelines behind its proxy does.

Beside it the same service at a URL of its own, and with Dex's login page before it. For what a
control plane of ours cannot be: multi-user, without an artifact service, refusing, slow.
"""

from __future__ import annotations

import base64
import http.server
import json
import threading
import time
from urllib.parse import parse_qs, urlsplit

PROXY = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"
PASSWORD = "it's secret"
FORM = """<html><body><form method="post" action="/dex/auth/local/login?state=s1">
<input type="text" name="login"><input type="password" name="password">
<input type="hidden" name="back" value="b"><button>Login</button></form>
</body></html>"""
CHOICE = """<html><a href="/dex/auth/ldap?req=1">LDAP</a>
<a href="/dex/auth/local?req=1">Email</a></html>"""
APPROVAL = """<html><form method="post"><input type="hidden" name="req" value="r1">
<input type="hidden" name="approval" value="approve"><button>Grant</button></form></html>"""


class KfpServer:
    """State and switches of the stand-in.

    `fail` is a status that every request of KFP's is answered with, and `slow_s` what they wait.
    `phases` are what a watch of the Workflow of run-0 sees; with none it is forbidden.
    """

    def __init__(self):
        self.multi_user = False
        self.artifacts = True
        self.pod_logs = True
        self.login = False
        self.approval = False
        self.fail = 0
        self.slow_s = 0.0
        self.phases = []
        self.asked = []
        self.experiments = []
        self.runs = {}
        handler = type("Handler", (_Handler,), {"state": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # Looks often whether it is to stop: each test has a server of its own.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def paths(self):
        """What was asked of KFP, with queries."""
        return [path for _, path, _ in self.asked]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: KfpServer

    def log_message(self, *_):
        return

    def do_GET(self):
        self.handle_request("GET")

    def do_POST(self):
        self.handle_request("POST")

    def do_DELETE(self):
        self.handle_request("DELETE")

    def handle_request(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path
        if path.startswith(PROXY):
            return self.kfp(method, path[len(PROXY) :], body)
        if path.startswith("/pipeline"):
            if self.state.login and "session=yes" not in (self.headers.get("Cookie") or ""):
                return self.redirect("/dex/auth?client=kubeflow")
            return self.kfp(method, path[len("/pipeline") :], body)
        if path.startswith("/dex") or path.startswith("/callback"):
            return self.dex(method, body)
        return self.kubernetes(method, path, body)

    def kubernetes(self, method, path, body):
        if "/log" in path:
            if self.state.pod_logs:
                return self.answer(200, b"from the pod\n", "text/plain")
            return self.status(404, "NotFound", 'pods "pod-1" not found')
        if path.endswith("/selfsubjectaccessreviews"):
            return self.json({"status": {"allowed": False, "reason": "no"}})
        if "/workflows" in path and self.state.phases:
            return self.watch()
        return self.status(403, "Forbidden", "workflows is forbidden")

    def watch(self):
        """Each change takes longer than a client takes changes for one; the last is the end."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, phase in enumerate(self.state.phases, 1):
            if number == len(self.state.phases):
                self.state.runs["run-0"]["state"] = phase.upper()
            workflow = {"metadata": {"resourceVersion": str(number)}, "status": {"phase": phase}}
            self.wfile.write(json.dumps({"type": "MODIFIED", "object": workflow}).encode() + b"\n")
            self.wfile.flush()
            time.sleep(0.2)
        self.close_connection = True

    def status(self, code, reason, message):
        self.json({"kind": "Status", "reason": reason, "message": message, "code": code}, code)

    def dex(self, method, body):
        path = urlsplit(self.path).path
        if path == "/dex/auth":
            return self.page(CHOICE)
        if path == "/dex/auth/local":
            return self.page(FORM)
        if path == "/dex/auth/local/login":
            fields = parse_qs(body.decode())
            if fields.get("login") != ["me@example.com"] or fields.get("password") != [PASSWORD]:
                return self.page(FORM, 401)
            assert fields["back"] == ["b"]
            return self.redirect("/dex/approval" if self.state.approval else "/callback", 303)
        if path == "/dex/approval":
            if method == "GET":
                return self.page(APPROVAL)
            assert parse_qs(body.decode()) == {"req": ["r1"], "approval": ["approve"]}
            return self.redirect("/callback", 303)
        return self.redirect("/pipeline/apis/v2beta1/healthz", cookie="session=yes; Path=/")

    def kfp(self, method, path, body):
        state = self.state
        state.asked.append((method, path, json.loads(body) if body else None))
        time.sleep(state.slow_s)
        if state.fail:
            return self.error(state.fail, 7 if state.fail == 403 else 13, "it was refused")
        place = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        words = place.path.split("/")[3:]
        if place.path.startswith("/apis/v1alpha1/"):
            return self.answer(200, b"kept by KFP\n", "text/plain")
        match (method, words):
            case ("GET", ["healthz"]):
                return self.json({"multi_user": state.multi_user})
            case ("GET", ["runs"] | ["experiments"]) if state.multi_user and not {
                "namespace",
                "experiment_id",
            } & set(query):
                return self.error(400, 3, "Invalid input error: namespace is empty")
            case ("GET", ["runs"]):
                return self.json({"runs": list(state.runs.values())})
            case ("POST", ["runs"]):
                run = json.loads(body)
                if state.multi_user and not run.get("experiment_id"):
                    return self.error(400, 3, "Invalid input error: experiment is empty")
                run |= {"run_id": f"run-{len(state.runs)}", "state": "SUCCEEDED"}
                task = {"task_id": "t1", "display_name": "train", "pod_name": "pod-1"}
                run["run_details"] = {"task_details": [task]}
                state.runs[run["run_id"]] = run
                return self.json(run)
            case ("GET", ["runs", run_id]) if run_id in state.runs:
                return self.json(state.runs[run_id])
            case ("GET", ["runs", _, "nodes", "pod-1", "artifacts", "model:read"]):
                return self.json({"data": base64.b64encode(b"a model").decode()})
            case ("GET", ["experiments"]):
                return self.json({"experiments": state.experiments})
            case ("POST", ["experiments"]):
                made = {**json.loads(body), "experiment_id": f"e{len(state.experiments)}"}
                state.experiments.append(made)
                return self.json(made)
            case ("GET", ["artifacts"]) if state.artifacts:
                if state.multi_user and "namespace" not in query:
                    return self.error(400, 3, "Invalid input error: namespace is empty")
                return self.json({"artifacts": []})
        return self.error(404, 5, "Not Found")

    def error(self, status, code, message):
        self.json({"error": message, "code": code, "message": message, "details": []}, status)

    def json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), "application/json")

    def page(self, text, status=200):
        self.answer(status, text.encode(), "text/html; charset=utf-8")

    def redirect(self, to, status=302, cookie=""):
        self.send_response(status)
        self.send_header("Location", to)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
