"""Who makes a request: the administrator, or the service account of a pod."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from ..resources import POD, SERVICE_ACCOUNT, ApiError, Json, Resources
from ..tokens import ISSUER, Tokens
from .access import Attributes, Authorizer, User
from .http import Scope
from .websocket import bearer_protocol

ADMIN = User("fairlead-admin", groups=("system:masters", "system:authenticated"))
_ACCOUNT_PREFIX = "system:serviceaccount:"


class Identity(NamedTuple):
    """What a token says."""

    user: User
    audiences: tuple[str, ...]


class Authenticator:
    """Reads tokens: that of the data directory's kubeconfig, and those of service accounts.

    Parameters
    ----------
    resources : Resources
        A token is worth nothing when its account or its pod is gone.
    admin_token : str
        Of the administrator.
    tokens : Tokens
        Reads the others.
    authorizer : Authorizer
        Says who may act as somebody else.
    """

    def __init__(
        self, resources: Resources, admin_token: str, tokens: Tokens, authorizer: Authorizer
    ) -> None:
        self._resources = resources
        self._admin_token = admin_token.encode()
        self._tokens = tokens
        self._authorizer = authorizer

    async def authenticate(self, scope: Scope) -> User:
        """Return who makes a request.

        Raises
        ------
        ApiError
            401 without a valid token; 403 for who may not impersonate.
        """
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        given = headers.get(b"authorization", [b""])[-1]
        kind, _, token = given.partition(b" ")
        if (other := bearer_protocol(scope)) is not None:
            kind, token = b"Bearer", other
        identity = None
        if kind.lower() == b"bearer":
            identity = await self.identify(token.strip().decode("latin-1"))
        if identity is None or ISSUER not in identity.audiences:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        if b"impersonate-user" in headers:
            return await self._impersonate(identity.user, headers)
        return identity.user

    async def identify(self, token: str) -> Identity | None:
        """Return whose a token is, or None when it is not valid now."""
        if hmac.compare_digest(token.encode(), self._admin_token):
            return Identity(ADMIN, (ISSUER,))
        claims = self._tokens.read(token)
        if claims is None:
            return None
        bound = claims["kubernetes.io"]
        namespace, account = bound["namespace"], bound["serviceaccount"]
        if account["uid"]:
            found = await self._resources.find(SERVICE_ACCOUNT, account["name"], namespace)
            if found is None or found["metadata"]["uid"] != account["uid"]:
                return None
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        if pod := bound.get("pod"):
            found = await self._resources.find(POD, pod["name"], namespace)
            if found is None or found["metadata"]["uid"] != pod["uid"]:
                return None
            extra["authentication.kubernetes.io/pod-name"] = [pod["name"]]
            extra["authentication.kubernetes.io/pod-uid"] = [pod["uid"]]
        user = account_user(namespace, account["name"], account["uid"], extra)
        return Identity(user, tuple(claims["aud"]))

    async def _impersonate(self, user: User, headers: Mapping[bytes, list[bytes]]) -> User:
        def values(name: bytes) -> list[str]:
            return [value.decode() for value in headers.get(name, [])]

        name = values(b"impersonate-user")[0]
        groups, uid = values(b"impersonate-group"), "".join(values(b"impersonate-uid"))
        account = parse_account(name)
        if account is not None:
            wanted = [Attributes("impersonate", "", "serviceaccounts", *account)]
        else:
            wanted = [Attributes("impersonate", "", "users", name=name)]
        wanted += [Attributes("impersonate", "", "groups", name=group) for group in groups]
        for attributes in wanted:
            await self._authorizer.check(user, attributes)
        if account is not None and not groups:
            return account_user(*account, uid, {})
        extra = {
            unquote(key.decode().removeprefix("impersonate-extra-")): [v.decode() for v in value]
            for key, value in headers.items()
            if key.startswith(b"impersonate-extra-")
        }
        everyone = () if name == "system:anonymous" else ("system:authenticated",)
        return User(name, uid, tuple(dict.fromkeys((*groups, *everyone))), extra)


def account_user(namespace: str, name: str, uid: str, extra: Mapping[str, list[str]]) -> User:
    """Return the user that a service account is."""
    return User(
        f"{_ACCOUNT_PREFIX}{namespace}:{name}",
        uid,
        (
            "system:serviceaccounts",
            f"system:serviceaccounts:{namespace}",
            "system:authenticated",
        ),
        extra,
        namespace,
    )


def parse_account(user: str) -> tuple[str, str] | None:
    """Return namespace and name of the service account that a user is, or None."""
    words = user.removeprefix(_ACCOUNT_PREFIX).split(":")
    if not user.startswith(_ACCOUNT_PREFIX) or len(words) != 2 or not all(words):
        return None
    return words[0], words[1]


def describe(user: User) -> Json:
    """Return a user as `UserInfo` of a review."""
    info: dict[str, Any] = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    if user.groups:
        info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = dict(user.extra)
    return info
