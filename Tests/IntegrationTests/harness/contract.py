"""The other side of Examples/EventSourceService: a contract test that knows of the client only what it reports."""

import http.server
import json
import queue
import threading

from .gateway import PATIENCE
from .client import ask


class Contract:
    """Starts clients on a service and receives their reports."""

    def __init__(self, port):
        self.port = port
        self._reports = {}
        outer = self

        class Callbacks(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                _, client, number = self.path.split("/")
                outer._reports[client].put((int(number), json.loads(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callbacks)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def start(self, stream, **more):
        """A client of this URL that is running; connects again at once."""
        name = str(len(self._reports))
        self._reports[name] = queue.Queue()
        callback = f"http://127.0.0.1:{self._server.server_address[1]}/{name}"
        order = {"tag": "test", "streamUrl": stream, "callbackUrl": callback, "initialDelayMs": 0, **more}
        response = self.post("/", order)
        assert response.status == 201, response
        return Client(self, response["Location"], self._reports[name])

    def post(self, path, body):
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return ask(self.port, "POST", path, {"Content-Type": "application/json"}, body)


class Client:
    def __init__(self, contract, location, reports):
        self.contract = contract
        self.location = location
        self._reports = reports
        self._count = 0

    def report(self):
        """What it met next."""
        number, report = self._reports.get(timeout=PATIENCE)
        self._count += 1
        assert number == self._count, "reports come in order and are counted without a hole"
        return report

    def event(self):
        """The next event, as (type, data, id); nothing else may come before it."""
        report = self.report()
        assert report["kind"] == "event", report
        event = report["event"]
        return event["type"], event["data"], event["id"]

    def comment(self):
        report = self.report()
        assert report["kind"] == "comment", report
        return report["comment"]

    def error(self):
        report = self.report()
        assert report["kind"] == "error", report
        return report["error"]

    def restart(self):
        response = self.contract.post(self.location, {"command": "restart"})
        assert 200 <= response.status < 300, response

    def delete(self):
        return ask(self.contract.port, "DELETE", self.location).status
