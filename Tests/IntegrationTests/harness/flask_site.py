"""A Flask application with one of everything, served by gunicorn's threads. It notes what it was asked, and its streams
go on when the test says so.

Run as a program: it says its port, and ends with its standard input."""

import gzip
import hashlib
import os
import pathlib
import queue
import signal
import sys
import tempfile
import threading

import flask
import flask_sock
import gunicorn.app.base
import gunicorn.http.message
import simple_websocket
import wsproto.events

FILES = {"empty": 0, "byte": 1, "megabyte": 1 << 20, "large": 20_000_000}

app = flask.Flask(__name__)
app.secret_key = "no secret"
sock = flask_sock.Sock(app)
folder = pathlib.Path(tempfile.gettempdir())  # Set in `main`.


def digest(data):
    return hashlib.sha256(data).hexdigest()


# What was asked, as it came.

asked = queue.Queue()
current = threading.local()


class Head:
    """Keeps the bytes of each head: WSGI tells neither the spelling of names nor which fields were repeated."""

    parse = gunicorn.http.message.Request.parse_headers

    def parse_headers(self, data, from_trailer=False):
        if not from_trailer:
            self.lines = bytes(data).decode("latin-1").split("\r\n")
        return Head.parse(self, data, from_trailer)


gunicorn.http.message.Request.parse_headers = Head.parse_headers


def before_each_request(_, request):
    current.lines = getattr(request, "lines", [])


@app.before_request
def note():
    if flask.request.path.startswith("/control/"):
        return
    environ = flask.request.environ
    body = b"" if environ.get("HTTP_UPGRADE") else flask.request.get_data()
    asked.put(
        {
            "method": environ["REQUEST_METHOD"],
            "target": environ["RAW_URI"],
            "fields": [line.split(": ", 1) for line in current.lines],
            "length": len(body),
            "sha256": digest(body),
        }
    )


# Pages.

PAGE = """<!doctype html>
<html><head><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1>
<ul>{% for row in rows %}<li>{{ loop.index }}: {{ row }}</li>
{% endfor %}</ul></body></html>
"""


@app.get("/")
def page():
    return flask.render_template_string(PAGE, title="Größe & <Maß>", rows=["a", "<b>", "ü", "🌊"])


@app.route("/echo/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@app.route("/echo/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo(rest=""):
    request = flask.request
    return {
        "path": request.path,
        "rest": rest,
        "arguments": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "files": [[name, *described(file)] for name, file in request.files.items(multi=True)],
        "json": request.get_json(silent=True),
        "cookies": request.cookies.to_dict(flat=False),
        "sha256": digest(request.get_data()),
    }


def described(file):
    data = file.read()
    return file.filename, file.content_type, len(data), digest(data)


@app.get("/redirect/<int:code>")
def redirect(code):
    return flask.redirect("/echo/landed?a=1&b=%2F", code)


@app.get("/where")
def where():
    """Absolute, as the application takes it to be."""
    return flask.redirect(flask.url_for("page", _external=True))


@app.get("/cookies")
def cookies():
    response = flask.make_response("set")
    response.set_cookie("a", "1")
    response.set_cookie("b", 'two "words"; more', httponly=True, samesite="Lax")
    response.set_cookie("c", "3", expires=1_900_000_000, path="/echo/", secure=True)
    response.set_cookie("a", "again", path="/other")
    response.delete_cookie("d")
    response.set_cookie("large", "x" * 3900)
    return response


@app.get("/visits")
def visits():
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return str(flask.session["visits"])


@app.route("/status/<int:code>", methods=["GET", "POST"])
def status(code):
    if code == 204:
        return "", 204
    return f"status {code}\n", code


@app.get("/broken")
def broken():
    raise RuntimeError("on purpose")


@app.get("/headers")
def headers():
    fields = [
        ("X-lower-UPPER", "1"), ("x-repeated", "one"), ("X-Other", "a,b ,  c"), ("X-Repeated", "two"),
        ("x-repeated", "three"), ("X-Empty", ""), ("X-Latin", "gr\xfc\xdfe"), ("X_Under_Score", "yes"),
        ("X-UTF8", "größe".encode().decode("latin-1")), ("X-Tab", "a\tb"), ("!#$%&'*+-.^_`|~", "token"),
        ("Link", "</a.css>; rel=preload"), ("Link", "</b.css>; rel=preload"), ("Via", "1.0 other"),
        ("WWW-Authenticate", 'Basic realm="x, y"'), ("Server", "of my own"), ("Cache-Control", "no-store"),
        ("Strict-Transport-Security", "max-age=1"),
    ]  # fmt: skip
    return flask.Response("headers", headers=fields)


@app.get("/large-headers")
def large_headers():
    return flask.Response("large", headers=[("X-L", "y" * 16000), *((f"X-{i}", "x" * 1000) for i in range(30))])


@app.get("/etag")
def etag():
    response = flask.make_response("tagged")
    response.set_etag("of mine")
    response.headers["Cache-Control"] = "max-age=60"
    return response.make_conditional(flask.request)


@app.get("/gzip")
def gzipped():
    body = gzip.compress(b"the same again " * 10_000, mtime=0)
    return flask.Response(body, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, mimetype="text/plain")


@app.get("/hints")
def hints():
    flask.request.environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload"), ("X-Hint", "1")])
    return "hinted"


@app.get("/pieces/<int:count>")
def pieces(count):
    """An answer whose length nobody knows beforehand."""
    return flask.Response((b"%d\n" % number * 100 for number in range(count)), mimetype="text/plain")


# Files.


@app.get("/files/<name>")
def download(name):
    return flask.send_from_directory(folder, name, as_attachment="attachment" in flask.request.args)


@app.post("/upload")
def upload():
    return {name: described(file) for name, file in flask.request.files.items()}


# Streams, a step at a time.

steps = {}


def step(key):
    """What is to be said on a stream."""
    return steps.setdefault(key, queue.Queue())


def stepped(key):
    return iter(step(key).get, b"")


@app.get("/events/<key>")
@app.get("/beating/events/<key>")
def events(key):
    return flask.Response(stepped(key), mimetype="text/event-stream", headers={"Cache-Control": "no-cache"})


@app.post("/complete/<key>")
def complete(key):
    """As a language model answers."""
    prompt = flask.request.get_json()["prompt"]

    def answer():
        yield b"data: %s\n\n" % digest(prompt.encode()).encode()
        yield from stepped(key)

    return flask.Response(answer(), mimetype="text/event-stream")


@app.post("/control/push/<key>")
def push(key):
    step(key).put(flask.request.get_data())
    return ""


@app.get("/control/asked")
def all_asked():
    notes = []
    while not asked.empty():
        notes.append(asked.get())
    return notes


# WebSockets.

closed = {}


def close_of(key):
    return closed.setdefault(key, queue.Queue())


@sock.route("/socket/<key>")
def socket(ws, key):
    try:
        while True:
            match ws.receive():
                case "close":
                    ws.close(4001, "as you wish")
                case "ping":
                    ws.sock.sendall(ws.ws.send(wsproto.events.Ping(b"are you?")))
                case message:
                    ws.send(message)
    except simple_websocket.ConnectionClosed as end:
        close_of(key).put([end.reason, end.message])
        raise


@app.get("/control/closed/<key>")
def how_it_closed(key):
    return close_of(key).get(timeout=20)


# What a browser does with all of it.


@app.get("/browser")
def browser():
    return """<!doctype html><title>browser</title><script>
    window.got = []; window.failed = [];
    const source = new EventSource('/events/browser');
    source.onopen = () => got.push('open');
    source.onmessage = event => got.push([event.data, event.lastEventId]);
    source.onerror = () => failed.push('source');
    const socket = new WebSocket(location.href.replace('http', 'ws').replace('/browser', '/socket/browser'));
    socket.binaryType = 'arraybuffer';
    window.messages = [];
    socket.onopen = () => { socket.send('grüße'); socket.send(new Uint8Array([0, 255, 7])); socket.send('close'); };
    socket.onmessage = ({data}) => messages.push(typeof data == 'string' ? data : [...new Uint8Array(data)]);
    socket.onclose = ({code, reason, wasClean}) => messages.push([code, reason, wasClean]);
    socket.onerror = () => failed.push('socket');
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(1 << 20).fill(7)]), 'sevens');
    fetch('/upload', {method: 'POST', body: form}).then(response => response.json()).then(
        json => window.uploaded = json, error => failed.push(String(error)));
    </script>"""


class Server(gunicorn.app.base.BaseApplication):
    def load_config(self):
        settings = {
            "bind": "127.0.0.1:0", "workers": 1, "threads": 64, "worker_class": "gthread", "keepalive": 600,
            "http_parser": "python", "limit_request_field_size": 65536, "limit_request_line": 0, "loglevel": "error",
            "pre_request": before_each_request, "when_ready": ready,
        }  # fmt: skip
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self):
        return app


def ready(arbiter):
    print(arbiter.LISTENERS[0].sock.getsockname()[1], flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()


def end_with_input():
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


def contents(size):
    """Bytes that show what is missing, doubled or in another place."""
    return b"".join(b"%08x" % number for number in range(0, size, 8))[:size]


def main(directory):
    global folder
    folder = pathlib.Path(directory)
    for name, size in FILES.items():
        path = folder / name
        path.write_bytes(contents(size))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    Server().run()


if __name__ == "__main__":
    main(sys.argv[1])
