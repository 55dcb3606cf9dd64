"""Headless Chromium, driven by the DevTools protocol."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess

from websockets.sync.client import connect

from .gateway import PATIENCE


class Browser:
    """Trusts the given authorities through an NSS database in a home of its own, as an administrator would do it."""

    def __init__(self, home, authorities):
        self.home = home
        database = home / ".pki/nssdb"
        database.mkdir(parents=True)
        subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "--empty-password"], check=True)
        for number, authority in enumerate(authorities):
            subprocess.run(
                ["certutil", "-A", "-d", f"sql:{database}", "-t", "C,,", "-n", f"test-{number}", "-i", authority],
                check=True,
            )
        self.process = subprocess.Popen(
            [
                "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--remote-debugging-port=0", f"--user-data-dir={home}/profile", "about:blank",
            ],
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )  # fmt: skip
        log = ""
        while not (match := re.search(r"DevTools listening on (ws://\S+)", log)):
            line = self.process.stderr.readline()
            assert line, f"Chromium ended:\n{log}"
            log += line
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(connect(match.group(1), max_size=None))
        self._numbers = itertools.count(1)
        self.events = []
        # A full pipe would stop the browser.
        self._drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def close(self):
        try:
            self.call("Browser.close")
            self._open.close()
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self._drain.wait(PATIENCE)

    def call(self, method, session=None, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def open(self, url):
        return Page(self, url)


class Page:
    def __init__(self, browser, url, context=None):
        self.browser = browser
        self.context = context or browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        result = self.call("Page.navigate", url=url)
        self.failure = result.get("errorText")
        if not self.failure:
            self.run("new Promise(done => document.readyState == 'complete' ? done() : addEventListener('load', done))")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def tab(self, url):
        """Another tab of the same visitor, who shares connections and cookies; it is closed with this one."""
        return Page(self.browser, url, self.context)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def run(self, expression):
        """The value of a JavaScript expression; a promise is waited for, a function body's `await` works."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_until(self, condition):
        """Waits until a JavaScript condition holds; it is looked at whenever the page paints or a task ran."""
        return self.run(
            f"""new Promise((done, never) => {{
                const last = Date.now() + {PATIENCE * 1000};
                const look = () => {{
                    const value = ({condition});
                    if (value) done(value);
                    else if (Date.now() > last) never(new Error('never came: ' + {json.dumps(condition)}));
                    else setTimeout(look, 20);
                }};
                look();
            }})"""
        )

    def network(self, method):
        """What the DevTools said about this page's requests."""
        self.run("1")  # Events that came before are behind us then.
        return [
            event["params"]
            for event in self.browser.events
            if event.get("sessionId") == self.session and event["method"] == method
        ]
