"""A real git server behind TLS on loopback: git's own http-backend, with a certificate of a private authority.

Beside the repositories it has an index of plugins and one of packages, as such houses do.
"""

import os
import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.fakes import certificates
from tests.repos.making import PLAIN


class Handler(BaseHTTPRequestHandler):
    """Below /moved everything is elsewhere; below /private one has to say who one is; below /files lie files."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.startswith("/moved/"):
            self._end(302, Location=self.path.removeprefix("/moved"))
        elif path.startswith("/private/"):
            self._end(401, WWW_Authenticate='Basic realm="git"')
        elif path.startswith("/files/"):
            self._file(path.removeprefix("/files/"))
        else:
            self._backend(path, query)

    do_POST = do_GET  # noqa: N815 - the library's name

    protocol_version = "HTTP/1.1"  # with the length of each answer: git's TLS takes a mere end for an attack

    def _end(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _file(self, path):
        """A file, or a page that links to all files of a folder: so an index of packages looks."""
        found = self.server.root / "files" / path
        if found.is_dir():
            links = "".join(f'<a href="/files/{path}{one.name}">{one.name}</a>' for one in found.iterdir())
            self._end(200, links.encode(), Content_Type="text/html")
        else:
            self._end(200 if found.is_file() else 404, found.read_bytes() if found.is_file() else b"")

    def _backend(self, path, query):
        environment = {
            **os.environ, **PLAIN, "GIT_PROJECT_ROOT": str(self.server.root), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }  # fmt: skip
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self._end(int(headers.pop("Status", "200").split()[0]), answer, **headers)

    def log_message(self, *_):
        pass


@contextmanager
def https(root, folder):
    """Serve the repositories below `root`; gives the address, and leaves `ca.pem` in `folder`."""
    certificates.make(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root = root
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
