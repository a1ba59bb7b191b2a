"""Google Cloud Storage as its XML API shows it, in front of an S3 server, whose API it shares.

Only who asks is said in another way: a bearer token instead of a signature.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import threading

_SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"
_OWN = ("authorization", "host", "connection", "content-length", "transfer-encoding")


class _Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behind = 0
    """Port of the S3 server."""

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert "AWS" not in self.headers.get("Authorization", ""), "no client of Google's"
        given = {name: text for name, text in self.headers.items() if name.lower() not in _OWN}
        connection = http.client.HTTPConnection("127.0.0.1", self.behind)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, body, given | {"Authorization": _SIGNED})
            answer = connection.getresponse()
            data = answer.read()
        self.send_response(answer.status)
        for name, text in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, text)
        self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def gcs_in_front_of(port):
    """Serve, and give the key of a service account whose client comes here."""
    handler = type("Gate", (_Gate,), {"behind": port})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield json.dumps(
            {
                "gcs_base_url": f"http://127.0.0.1:{server.server_address[1]}",
                "disable_oauth": True,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            }
        )
    finally:
        server.shutdown()
        server.server_close()
