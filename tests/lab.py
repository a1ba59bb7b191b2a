"""A real JupyterLab with the built extension, and where its browser is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "jupyter_ext" / "fairlead" / "labextension"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120
# A loaded machine is slow: what is waited for is only late, and what is missing fails all the same.
PATIENCE_MS = 90_000


def find_chromium() -> str | None:
    """The browser that is named, or the system's."""
    return os.environ.get("FAIRLEAD_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


class Lab:
    """A running JupyterLab: where it is and what is in its folder."""

    def __init__(self, url: str, place: Path) -> None:
        self.url = url
        self.folder = place / "work"
        self.settings = place / "settings"
        self._contexts = []
        self._workspace = ""

    def page(self, browser, path="", *, width=1400, height=900, dark=False):
        """Open Lab, at a file of its folder if one is named, and wait until it is there."""
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        # Lab asks every new user about news, over the corner that tests look at.
        self.set("notification", {"fetchNews": "false"})
        if dark:
            self.set("themes", {"theme": "JupyterLab Dark"})
        tree = f"/tree/{path}" if path else ""
        page.goto(f"{self.url}/lab{self._workspace}{tree}")
        self.ready(page, path)
        return page

    def ready(self, page, path=""):
        """Wait until all is in its place: before, Lab still moves, hides and focuses things."""
        page.wait_for_function("window.jupyterapp !== undefined")
        page.evaluate("window.jupyterapp.restored.then(() => null)")
        shown = "window.jupyterapp.shell.currentWidget"
        # Where nothing was open it opens its launcher, which then takes the focus.
        page.wait_for_function(f"{shown} !== null")
        if path:
            page.wait_for_function(f"path => {shown}?.context?.path === path", arg=path)
            page.evaluate(
                f"Promise.all([{shown}.context.ready, {shown}.revealed]).then(() => null)"
            )

    def close(self):
        """End the pages, which a failed test leaves open and which would ask on for ever."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def clear(self):
        """Make it as it was when it started: no kernel, file or setting, an empty workspace."""
        self._end_kernels()
        shutil.rmtree(self.settings, ignore_errors=True)
        # The folder itself is where the server runs.
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        self._workspace = f"/workspaces/test-{uuid.uuid4().hex[:8]}"

    def _end_kernels(self):
        cookies = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        browser.open(f"{self.url}/lab").close()
        token = next(cookie.value for cookie in cookies if cookie.name == "_xsrf")
        with browser.open(f"{self.url}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            request = urllib.request.Request(
                f"{self.url}/api/sessions/{session['id']}",
                headers={"X-XSRFToken": token},
                method="DELETE",
            )
            browser.open(request).close()

    def set(self, plugin, settings):
        """Save a user's settings of one of Lab's own plugins."""
        folder = self.settings / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(settings))


@contextmanager
def run_lab(place: Path) -> Iterator[Lab]:
    """JupyterLab on a free port; all that it reads and writes is under an empty folder."""
    folder = place / "work"
    folder.mkdir()
    share = place / "share" / "labextensions" / "@fairlead"
    share.mkdir(parents=True)
    (share / "lab").symlink_to(BUILT)
    config = place / "config" / "jupyter_server_config.d"
    config.mkdir(parents=True)
    shutil.copy(ROOT / "server_ext" / "jupyter-config" / "fairlead.json", config)
    environment = {
        **os.environ,
        "JUPYTER_PATH": str(place / "share"),
        "JUPYTER_CONFIG_PATH": str(place / "config"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
    }
    log = (place / "lab.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.port=0",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
            # Tests call commands with arguments, as other extensions do, and see when Lab is ready.
            "--LabApp.expose_app_in_browser=True",
        ],
        cwd=folder,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        running = Lab(_url_of(process, place), place)
        yield running
        running.close()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            # Jupyter Server may stay for ever, when its loop is gone, on an idle thread of AnyIO.
            process.kill()
            process.wait()
        log.close()


def _url_of(process, place):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError((place / "lab.log").read_text())
        printed = (place / "lab.log").read_text()
        found = re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab", printed)
        if found:
            url = found[1]
            try:
                urllib.request.urlopen(f"{url}/api/status")
            except urllib.error.URLError:
                time.sleep(0.2)
                continue
            return url
        time.sleep(0.2)
    raise AssertionError((place / "lab.log").read_text())
