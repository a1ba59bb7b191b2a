"""Servers that pods of tests run, as Python source; `python -c`."""

from __future__ import annotations

import socket

HTTP = """
import base64, hashlib, http.server, json, os, socketserver, struct, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, code=200, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def read(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/refuse":
            self.answer(b"no sockets", 418, X_Why="tea")
        elif self.headers.get("Upgrade", "").lower() == "websocket":
            self.echo()
        elif path == "/large":
            self.answer(os.urandom(1) * int(query))
        elif path == "/sse":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(int(query)):
                line = b"data: %d\\n\\n" % number
                self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(line), line))
                self.wfile.flush()
                while number == 0 and not os.path.exists("go"):
                    time.sleep(0.01)
            self.wfile.write(b"0\\r\\n\\r\\n")
        elif path == "/redirect":
            self.answer(b"", 302, Location=query)
        elif path == "/page":
            self.answer(b'<p><a href="/x/y?a=1&amp;b=2">x</a><img src=/z.png><a href=rel>',
                        Content_Type="text/html; charset=utf-8", Set_Cookie="a=b")
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        else:
            seen = [self.command, self.path, sorted(self.headers.items())]
            self.answer(json.dumps(seen).encode(),
                        X_Pod=os.environ["HOSTNAME"], Connection="keep-alive, X-Hop", X_Hop="1",
                        Access_Control_Allow_Origin="*")

    do_DELETE = do_OPTIONS = do_GET

    def do_POST(self):
        self.answer(hashlib.sha256(self.read()).hexdigest().encode())

    do_PUT = do_PATCH = do_POST

    def echo(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        if "chat" in self.headers.get("Sec-WebSocket-Protocol", ""):
            self.send_header("Sec-WebSocket-Protocol", "chat")
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        while True:
            first, second = self.rfile.read(2)
            size = second & 127
            if size > 125:
                form = "!H" if size == 126 else "!Q"
                size, = struct.unpack(form, self.rfile.read(struct.calcsize(form)))
            mask, data = self.rfile.read(4), self.rfile.read(size)
            pad = (mask * (size // 4 + 1))[:size]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
            length = bytes([size]) if size < 126 else b"\\x7f" + struct.pack("!Q", size)
            self.wfile.write(bytes([first]) + length + data)
            if first & 15 == 8:
                return

    def log_message(self, *rest):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

server = Server(("127.0.0.1", PORT), Handler)
if CERTIFICATE:
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("listening", flush=True)
server.serve_forever()
"""


def http_server(port: int, tls: tuple[str, str] | None = None) -> str:
    """Return the source of an HTTP server on a port; `tls`: files of its certificate and key."""
    return HTTP.replace("PORT", str(port)).replace("CERTIFICATE", repr(tls))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
