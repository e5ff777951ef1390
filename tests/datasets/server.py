"""A file server on 127.0.0.1 that misbehaves on request."""

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `files` (path to bytes). `script` holds a behaviour for each request to come, then all is well.

    An int answers with that status. "cut" closes after half; "stall" stops after half. "page" answers with
    a web page; "untitled page" does not say so.
    """

    def __init__(self):
        self.files, self.script, self.requests = {}, [], []

    def answer(self, handler):
        behaviour = self.script.pop(0) if self.script else "well"
        self.requests.append(handler.path)
        if isinstance(behaviour, int):
            handler.send_error(behaviour)
            return
        content = self.files.get(handler.path)
        if behaviour in ("page", "untitled page"):
            content = b"<!DOCTYPE html><html>moved</html>"
        if content is None:
            handler.send_error(404)
            return
        handler.send_response(200)
        if behaviour == "page":
            handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if behaviour in ("cut", "stall"):
            handler.wfile.write(content[: len(content) // 2])
            handler.wfile.flush()
            if behaviour == "stall":
                time.sleep(0.5)
            handler.close_connection = True
            return
        handler.wfile.write(content)


@contextmanager
def serving():
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(OSError):  # the client has given up
                files.answer(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    files.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
