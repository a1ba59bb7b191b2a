"""Logging in: tokens, files, plugins, certificates and proxies, over the wire."""

from __future__ import annotations

import base64
import datetime
import http.server
import ipaddress
import json
import select
import socket
import ssl
import sys
import threading

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairlead.errors import CapabilityError, ClusterError
from fairlead.kube import KubeClient, contexts
from fairlead.kube.client import NAMESPACES

PLUGIN = """\
#!{python}
import json, os, sys
folder = {folder!r}
with open(folder + "/calls", "a") as calls:
    calls.write(os.environ["KUBERNETES_EXEC_INFO"] + "\\n")
print("words for the terminal", file=sys.stderr)
print(open(folder + "/answer").read())
sys.exit(int(open(folder + "/code").read()))
"""


@pytest.fixture(scope="module")
def plane(data_dir):
    """Kubeconfig and token of a running plane."""
    client = KubeClient("local")
    client.list(NAMESPACES)
    config = yaml.safe_load(client.context.kubeconfig.read_text())
    return config, config["users"][0]["user"]["token"]


class Plugin:
    """A real credential plugin: a script whose answer the test sets."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "plugin"
        self.path.write_text(PLUGIN.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o700)

    def answer(self, code=0, text=None, version="v1", **status):
        credential = {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "kind": "ExecCredential",
            "status": status,
        }
        (self.folder / "answer").write_text(json.dumps(credential) if text is None else text)
        (self.folder / "code").write_text(str(code))

    @property
    def calls(self):
        try:
            return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]
        except FileNotFoundError:
            return []


@pytest.fixture
def plugin(tmp_path):
    return Plugin(tmp_path)


def exec_user(path, version="v1", **more):
    spec = {"apiVersion": f"client.authentication.k8s.io/{version}", "command": str(path)}
    return {"exec": {**spec, "interactiveMode": "Never", **more}}


@pytest.fixture
def client_as(plane, tmp_path, monkeypatch):
    """A client of the plane as a user, or of another cluster."""

    def make(user, cluster=None):
        config, _ = plane
        own = cluster if cluster is not None else config["clusters"][0]["cluster"]
        file = tmp_path / "kubeconfig"
        file.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "contexts": [{"name": "mine", "context": {"cluster": "c", "user": "u"}}],
                    "clusters": [{"name": "c", "cluster": own}],
                    "users": [{"name": "u", "user": user}],
                }
            )
        )
        monkeypatch.setenv("KUBECONFIG", str(file))
        return KubeClient("mine")

    return make


def in_seconds(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugins_token_is_used_until_it_expires(plane, plugin, client_as, version):
    plugin.answer(version=version, token=plane[1], expirationTimestamp=in_seconds(3600))
    client = client_as(exec_user(plugin.path, version, provideClusterInfo=True))
    assert client.list(NAMESPACES)
    assert client.list(NAMESPACES)
    (told,) = plugin.calls
    assert told["apiVersion"] == f"client.authentication.k8s.io/{version}"
    assert told["spec"]["interactive"] is False
    assert told["spec"]["cluster"]["server"] == plane[0]["clusters"][0]["cluster"]["server"]


def test_a_token_that_expires_is_renewed_before_it_does(plane, plugin, client_as):
    plugin.answer(token=plane[1], expirationTimestamp=in_seconds(1))
    client = client_as(exec_user(plugin.path))
    for _ in range(3):
        assert client.list(NAMESPACES)
    assert len(plugin.calls) == 3


def test_a_token_that_is_refused_has_the_plugin_called_again(plane, plugin, client_as):
    plugin.answer(token="expired-on-the-server")
    client = client_as(exec_user(plugin.path))
    with pytest.raises(ClusterError, match="Unauthorized"):
        client.list(NAMESPACES)
    before = len(plugin.calls)
    plugin.answer(token=plane[1])
    assert client.list(NAMESPACES)
    assert len(plugin.calls) == before + 1


def test_a_watch_too_logs_in_again(plane, plugin, client_as):
    plugin.answer(token="old")
    client = client_as(exec_user(plugin.path))
    with pytest.raises(ClusterError, match="Unauthorized"):
        client.list(NAMESPACES)
    plugin.answer(token=plane[1])
    stream = client.watch(NAMESPACES, timeout_s=20)
    assert next(stream).type == "ADDED"
    stream.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"code": 3}, "failed with exit code 3: words for the terminal"),
        ({"text": "no json s3cret"}, "did not answer with an ExecCredential"),
        ({"text": '{"status": "s3cret"}'}, "did not answer with an ExecCredential"),
        ({"token": "s3cret", "version": "v1beta1"}, "answered in .*v1beta1.* asks for .*v1"),
        ({}, "gave neither a token nor a certificate"),
        (
            {"token": "s3cret", "expirationTimestamp": "soon"},
            "did not answer with an ExecCredential",
        ),
    ],
)
def test_a_plugin_that_fails_is_told_in_words_and_without_its_answer(
    plugin, client_as, answer, words
):
    plugin.answer(**answer)
    with pytest.raises(ClusterError, match=words) as caught:
        client_as(exec_user(plugin.path)).list(NAMESPACES)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_plugin_that_is_not_there_says_how_to_install_it(client_as):
    user = exec_user("no-such-login-tool", installHint="Install it\n  from somewhere.")
    with pytest.raises(ClusterError, match="'no-such-login-tool' is not installed") as caught:
        client_as(user).list(NAMESPACES)
    assert caught.value.hint == "Install it from somewhere."


def test_a_plugin_that_has_to_ask_says_so_where_nobody_can_answer(plugin, client_as):
    user = exec_user(plugin.path)
    user["exec"]["interactiveMode"] = "Always"
    with pytest.raises(ClusterError, match="there is no terminal"):
        client_as(user).list(NAMESPACES)


def test_a_token_file_that_is_renewed_is_read_again(plane, client_as, tmp_path):
    (tmp_path / "token").write_text("expired\n")
    client = client_as({"tokenFile": "token"})
    with pytest.raises(ClusterError, match="Unauthorized"):
        client.list(NAMESPACES)
    (tmp_path / "token").write_text(f"{plane[1]}\n")
    assert client.list(NAMESPACES)


def test_a_token_that_somebody_renews_in_the_kubeconfig_is_taken(plane, client_as, tmp_path):
    client = client_as({"token": "expired"})
    with pytest.raises(ClusterError, match="Unauthorized") as caught:
        client.list(NAMESPACES)
    assert "log in again" in caught.value.hint
    assert "expired" not in str(caught.value)
    file = tmp_path / "kubeconfig"
    file.write_text(file.read_text().replace("token: expired", f"token: {plane[1]}"))
    assert client.list(NAMESPACES)


def test_the_account_of_a_pod_is_enough(plane, tmp_path, monkeypatch):
    cluster = plane[0]["clusters"][0]["cluster"]
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    (tmp_path / "token").write_text(plane[1])
    (tmp_path / "namespace").write_text("kubeflow")
    host, port = cluster["server"].removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(contexts, "SERVICE_ACCOUNT", tmp_path)
    client = KubeClient("in-cluster")
    assert client.context.namespace == "kubeflow"
    assert client.list(NAMESPACES)


# -- certificates and proxies, against a server of the test's own -----------------------------


def certificate(name, issuer=None):
    """A certificate and its key, PEM, signed by another one or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
    signer, by = (issuer[2], issuer[3]) if issuer else (key, subject)
    made = (
        x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, private, key, subject


@pytest.fixture(scope="module")
def authority():
    return certificate("test-authority")


@pytest.fixture
def strict_server(authority, tmp_path):
    """A server called api.example that wants a client certificate; it lists nothing."""
    own = certificate("api.example", authority)
    (tmp_path / "server.pem").write_bytes(own[0] + own[1])
    (tmp_path / "authority.pem").write_bytes(authority[0])
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            return

        def do_GET(self):
            subject = self.connection.getpeercert()["subject"]
            asked.append((subject[0][0][1], dict(self.headers.items())))
            body = b'{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tls = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "authority.pem")
    )
    tls.load_cert_chain(tmp_path / "server.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_a_certificate_of_a_file_and_a_server_of_another_name(
    strict_server, authority, client_as, tmp_path
):
    port, asked = strict_server
    mine = certificate("alice", authority)
    (tmp_path / "me.pem").write_bytes(mine[0])
    (tmp_path / "me.key").write_bytes(mine[1])
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority": "authority.pem",
        "tls-server-name": "api.example",
    }
    user = {
        "client-certificate": "me.pem",
        "client-key": "me.key",
        "as": "bob",
        "as-groups": ["one", "two"],
    }
    assert client_as(user, cluster).list(NAMESPACES) == []
    name, headers = asked[0]
    assert (name, headers["Impersonate-User"]) == ("alice", "bob")
    assert headers["Impersonate-Group"] == "two"  # of two headers, this reader keeps the last


def test_a_certificate_that_a_plugin_gives_and_renews(strict_server, authority, client_as, plugin):
    port, asked = strict_server
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "certificate-authority-data": base64.b64encode(authority[0]).decode(),
        "tls-server-name": "api.example",
    }
    client = client_as(exec_user(plugin.path), cluster)
    for name in ("first", "second"):
        made = certificate(name, authority)
        plugin.answer(
            clientCertificateData=made[0].decode(),
            clientKeyData=made[1].decode(),
            expirationTimestamp=in_seconds(5),
        )
        assert client.list(NAMESPACES) == []
    assert [name for name, _ in asked] == ["first", "second"]


def test_a_server_of_the_wrong_name_or_authority_is_refused_in_words(
    strict_server, client_as, plane, tmp_path
):
    port, asked = strict_server
    for cluster in (
        {"certificate-authority": "authority.pem"},
        {"tls-server-name": "api.example"},
    ):
        cluster["server"] = f"https://127.0.0.1:{port}"
        with pytest.raises(ClusterError, match="No safe connection") as caught:
            client_as({"token": "x"}, cluster).list(NAMESPACES)
        assert "certificate" in caught.value.what
    assert not asked


def test_a_server_whose_certificate_is_not_to_be_checked_is_reached_without_a_warning(
    strict_server, authority, client_as, tmp_path, recwarn
):
    port, asked = strict_server
    mine = certificate("carol", authority)
    user = {
        "client-certificate-data": base64.b64encode(mine[0]).decode(),
        "client-key-data": base64.b64encode(mine[1]).decode(),
    }
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    assert client_as(user, cluster).list(NAMESPACES) == []
    assert asked[0][0] == "carol"
    assert [str(each.message) for each in recwarn if "Unverified" in str(each.message)] == []


class Tunnel:
    """A proxy that makes tunnels, to those who give it the password."""

    def __init__(self):
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += near.recv(4096)
            self.asked.append(head.decode())
            if base64.b64encode(b"me:pa55") not in head:
                near.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                near.close()
                continue
            host, port = head.split()[1].decode().split(":")
            far = socket.create_connection((host, int(port)))
            near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

    @staticmethod
    def _pass(near, far):
        while True:
            for source in select.select([near, far], [], [])[0]:
                data = source.recv(1 << 16)
                if not data:
                    near.close()
                    far.close()
                    return
                (far if source is near else near).sendall(data)

    def close(self):
        self._listener.close()


@pytest.fixture
def tunnel():
    made = Tunnel()
    yield made
    made.close()


def test_a_proxy_that_the_kubeconfig_names_is_used(plane, tunnel, client_as):
    config, token = plane
    cluster = dict(config["clusters"][0]["cluster"])
    cluster["proxy-url"] = f"http://me:pa55@127.0.0.1:{tunnel.port}"
    assert client_as({"token": token}, cluster).list(NAMESPACES)
    assert tunnel.asked[0].startswith("CONNECT 127.0.0.1:")
    assert token not in "".join(tunnel.asked)


def test_a_proxy_that_refuses_is_told_without_its_password(plane, tunnel, client_as):
    config, token = plane
    cluster = dict(config["clusters"][0]["cluster"])
    cluster["proxy-url"] = f"http://me:wr0ng@127.0.0.1:{tunnel.port}"
    with pytest.raises(ClusterError, match="The proxy before") as caught:
        client_as({"token": token}, cluster).list(NAMESPACES)
    assert "wr0ng" not in str(caught.value)


def test_a_proxy_of_another_kind_is_named(plane, client_as):
    cluster = {**plane[0]["clusters"][0]["cluster"], "proxy-url": "socks5://127.0.0.1:1"}
    with pytest.raises(CapabilityError, match="of kind 'socks5'"):
        client_as({"token": "x"}, cluster).list(NAMESPACES)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(plane, client_as, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert client_as({"token": plane[1]}).list(NAMESPACES)


def test_a_server_that_is_not_there_is_named(client_as):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ClusterError, match=rf"Nothing answers at https://127\.0\.0\.1:{port}"):
        client_as({"token": "x"}, {"server": f"https://127.0.0.1:{port}"}).list(NAMESPACES)
