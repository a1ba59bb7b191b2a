"""The login page before a Kubeflow: Dex's form, filled in as a browser does.

Whoever comes without a session is sent to the form; its answer leads back with a cookie. The
password is asked for or read where the reader keeps it, and forgotten; the cookie stays in memory.
"""

from __future__ import annotations

import base64
import getpass
import html.parser
import http.client
import http.cookiejar
import os
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin

from fairlead.errors import ClusterError, SpecError

_PAGES = 5
"""Pages at most: a choice of how to log in, the form, a question whether to grant access."""
_TIMEOUT_S = 30.0
_LONGEST_PAGE = 1 << 20


@dataclass(frozen=True)
class FormLogin:
    """Who logs in, and where the password is.

    Attributes
    ----------
    username : str
        As the form wants it; for Dex an e-mail address.
    password_env : str
        Environment variable that holds the password.
    password_secret : str
        `NAMESPACE/NAME` of a Secret that holds it under `password`. With neither it is asked for.
    """

    username: str
    password_env: str = ""
    password_secret: str = ""


ReadSecret = Callable[[str, str], dict[str, str]]
"""Namespace and name of a Secret -> its `data`."""


class Session:
    """The session of one user at one place; shared by all that talk to it from this process.

    Parameters
    ----------
    url : str
        Where the service is.
    login : FormLogin
        Who logs in.
    """

    def __init__(self, url: str, login: FormLogin) -> None:
        self._url = url
        self._login = login
        self._cookie = ""
        self._lock = threading.Lock()

    @property
    def cookie(self) -> str:
        """Value of the header `Cookie`; empty before the first login."""
        return self._cookie

    def renew(self, refused: str, tls: ssl.SSLContext | None, read_secret: ReadSecret) -> str:
        """Log in, unless another one did since; returns the new cookie.

        Parameters
        ----------
        refused : str
            The cookie with which a request was sent to the login.

        Raises
        ------
        ClusterError
            It cannot be logged in; the message says whether the password is wrong.
        SpecError
            There is no password, and nobody to ask.
        """
        with self._lock:
            if self._cookie == refused:
                password = _password(self._login, self._url, read_secret)
                self._cookie = _Browser(self._url, tls).log_in(self._login.username, password)
            return self._cookie


_sessions: dict[tuple[str, FormLogin], Session] = {}


def session_of(url: str, login: FormLogin) -> Session:
    """Return the session of a user at a place."""
    return _sessions.setdefault((url, login), Session(url, login))


def _password(login: FormLogin, url: str, read_secret: ReadSecret) -> str:
    if login.password_env:
        password = os.environ.get(login.password_env)
        if not password:
            raise SpecError(
                f"The variable {login.password_env}, which holds the password for {url}, is not "
                "set.",
                hint=f"Set it, or leave out `password_env` to be asked for it: {url}",
            )
        return password
    if login.password_secret:
        namespace, _, name = login.password_secret.partition("/")
        data = read_secret(namespace, name)
        if "password" not in data:
            raise SpecError(f"The Secret {login.password_secret} has no key `password`.")
        return base64.b64decode(data["password"]).decode()
    try:
        return getpass.getpass(f"Password of {login.username} at {url}: ")
    except Exception as error:
        # A kernel or server without anybody to ask raises an error of its own kind.
        raise SpecError(
            f"The password of {login.username} at {url} cannot be asked for here.",
            hint="Name where it is: `password_env` or `password_secret` in services.yaml.",
        ) from error


class _Browser:
    """Follows pages, fills in forms, keeps cookies."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._url = url
        self._cookies = http.cookiejar.CookieJar()
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPCookieProcessor(self._cookies)
        ]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    def log_in(self, username: str, password: str) -> str:
        place, page = self._open(f"{self._url}/apis/v2beta1/healthz")
        sent = False
        for _ in range(_PAGES):
            form = page.form("password")
            if form is not None:
                if sent:
                    raise ClusterError(
                        f"The login at {self._url} refused {username}.",
                        hint="Check the user name and the password.",
                    )
                fields = form.filled(username, password)
                place, page = self._open(urljoin(place, form.action), fields)
                sent = True
                continue
            approval = page.form("approval")
            if approval is not None:
                fields = {**approval.hidden, "approval": "approve"}
                place, page = self._open(urljoin(place, approval.action), fields)
                continue
            choice = page.link("/auth/local")
            if choice is None:
                break
            place, page = self._open(urljoin(place, choice))
        cookie = self._header()
        if not sent or not cookie:
            raise ClusterError(
                f"{self._url} showed no login form that could be filled in.",
                hint="Log in by a token instead: `token_file` in services.yaml.",
            )
        return cookie

    def _open(self, url: str, fields: dict[str, str] | None = None) -> tuple[str, _Page]:
        data = None if fields is None else urlencode(fields).encode()
        try:
            with self._opener.open(url, data, timeout=_TIMEOUT_S) as answer:
                return answer.url, _Page.read(answer.read(_LONGEST_PAGE))
        except urllib.error.HTTPError as error:
            # A gateway may show its sign-in page with 401 or 403, and Dex a wrong password so.
            with error:
                return error.url, _Page.read(error.read(_LONGEST_PAGE))
        except (OSError, http.client.HTTPException) as error:
            raise ClusterError(f"The login at {self._url} does not answer.") from error

    def _header(self) -> str:
        request = urllib.request.Request(f"{self._url}/")
        self._cookies.add_cookie_header(request)
        return request.get_header("Cookie") or ""


@dataclass
class _Form:
    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Name of an input -> its type."""

    def filled(self, username: str, password: str) -> dict[str, str]:
        fields = dict(self.hidden)
        for name, kind in self.names.items():
            if kind == "password":
                fields[name] = password
            elif kind in ("text", "email"):
                fields[name] = username
        return fields


class _Page(html.parser.HTMLParser):
    """Forms and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self._forms: list[_Form] = []
        self._links: list[str] = []

    @classmethod
    def read(cls, text: bytes) -> _Page:
        page = cls()
        page.feed(text.decode(errors="replace"))
        return page

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._forms.append(_Form(values.get("action", "")))
        elif tag == "a" and "href" in values:
            self._links.append(values["href"])
        elif tag == "input" and self._forms and values.get("name"):
            kind = values.get("type", "text").lower()
            form = self._forms[-1]
            if kind == "hidden":
                form.hidden[values["name"]] = values.get("value", "")
            else:
                form.names[values["name"]] = kind
            if values["name"] == "approval":
                form.names["approval"] = "approval"

    def form(self, kind: str) -> _Form | None:
        """Return the first form that has an input of a type."""
        return next((form for form in self._forms if kind in form.names.values()), None)

    def link(self, part: str) -> str | None:
        """Return the first link that has a text in its address."""
        return next((link for link in self._links if part in link), None)
