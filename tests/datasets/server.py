"""A file server on 127.0.0.1 that misbehaves as it is told."""

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves `files` (path to bytes). `script` holds a behaviour for each request to come, then all is well.

    An int answers with that status; "cut" closes after half; "stall" stops after half; "whole" ignores
    ranges; "page" answers 200 with a web page, "untitled page" does not say so; "ahead" begins behind what
    is asked for; "drip" closes after a little; "endless" repeats the file without saying how long it is.
    """

    def __init__(self):
        self.files, self.script, self.requests = {}, [], []

    def answer(self, handler):
        behaviour = self.script.pop(0) if self.script else "well"
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        if isinstance(behaviour, int):
            handler.send_error(behaviour)
            return
        content = self.files.get(handler.path)
        if behaviour in ("page", "untitled page"):
            content = b"<!DOCTYPE html><html>moved</html>"
        if content is None:
            handler.send_error(404)
            return
        start = 0
        if wanted and behaviour not in ("whole", "page"):
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(content)}")
                handler.end_headers()
                return
            handler.send_response(206)
            start += 100 * (behaviour == "ahead")
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            handler.send_response(200)
        body = content[start:]
        if behaviour == "page":
            handler.send_header("Content-Type", "text/html; charset=utf-8")
        if behaviour == "endless":
            handler.end_headers()
            while True:
                handler.wfile.write(body)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if behaviour in ("cut", "stall", "drip"):
            handler.wfile.write(body[: len(body) // (10 if behaviour == "drip" else 2)])
            handler.wfile.flush()
            if behaviour == "stall":
                time.sleep(1.5)
            handler.close_connection = True
            return
        handler.wfile.write(body)


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
