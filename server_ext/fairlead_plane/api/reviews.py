"""Questions about access and tokens: objects that are answered and never stored."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request

from ..resources import (
    SERVICE_ACCOUNT,
    Cause,
    Json,
    Kind,
    Resources,
    bad_request,
    invalid,
    timestamp,
)
from ..tokens import ISSUER, Tokens, account_claims
from .access import Attributes, Authorizer, User
from .auth import Authenticator, account_user, describe, parse_account
from .bodies import decode_as
from .http import read_object
from .paths import Target

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
_LEAST_S, _MOST_S = 600, 1 << 32
_TOKEN_S = 3600


def _kind(group: str, name: str, *, namespaced: bool = False) -> Kind:
    return Kind(group, "v1", name, f"{name.lower()}s", namespaced, False)


REVIEWS: tuple[Kind, ...] = (
    _kind(_AUTHORIZATION, "LocalSubjectAccessReview", namespaced=True),
    _kind(_AUTHORIZATION, "SelfSubjectAccessReview"),
    _kind(_AUTHORIZATION, "SelfSubjectRulesReview"),
    _kind(_AUTHORIZATION, "SubjectAccessReview"),
    _kind(_AUTHENTICATION, "SelfSubjectReview"),
    _kind(_AUTHENTICATION, "TokenReview"),
)
_BY_PLACE = {(kind.group, kind.plural): kind for kind in REVIEWS}


def find_review(path: str) -> Target | None:
    """Return the review that a URL is the place of, or None."""
    parts = path.strip("/").split("/")
    if parts[0] != "apis" or len(parts) not in (4, 6) or parts[2] != "v1":
        return None
    kind = _BY_PLACE.get((parts[1], parts[-1]))
    if kind is None or kind.namespaced != (len(parts) == 6):
        return None
    return Target(kind, parts[4] if kind.namespaced else None, None, "", "")


class Reviews:
    """Answers reviews and requests for tokens.

    Parameters
    ----------
    resources : Resources
        With the service accounts.
    authenticator, authorizer
        Decide.
    tokens : Tokens
        Signs what is asked for.
    """

    def __init__(
        self,
        resources: Resources,
        authenticator: Authenticator,
        authorizer: Authorizer,
        tokens: Tokens,
    ) -> None:
        self._resources = resources
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._tokens = tokens
        self._answers: dict[str, Callable[[User, Json, Target], Awaitable[Json]]] = {
            "SelfSubjectAccessReview": self._access_of_self,
            "SubjectAccessReview": self._access_of_other,
            "LocalSubjectAccessReview": self._access_of_other,
            "SelfSubjectRulesReview": self._rules,
            "SelfSubjectReview": self._self,
            "TokenReview": self._token,
        }

    async def answer(self, request: Request, target: Target, user: User) -> Json:
        """Answer a review that was posted."""
        review, _ = await read_object(request)
        given = review.get("kind", target.kind.kind)
        if given != target.kind.kind:
            raise bad_request(
                f"the object provided is unrecognized (must be of type {target.kind.kind}): {given}"
            )
        review = decode_as(target.kind, review)
        spec = review.get("spec") or {}
        status = await self._answers[target.kind.kind](user, spec, target)
        answer = {
            "kind": target.kind.kind,
            "apiVersion": target.kind.api_version,
            "metadata": {"creationTimestamp": None, **(review.get("metadata") or {})},
        }
        return {**answer, **({"spec": spec} if spec else {}), "status": status}

    async def create_token(self, request: Request, target: Target) -> Json:
        """Answer a TokenRequest: `serviceaccounts/NAME/token`."""
        review, _ = await read_object(request)
        spec = decode_as(_TOKEN_REQUEST, review).get("spec") or {}
        assert target.name is not None
        assert target.namespace is not None
        account = await self._resources.get(SERVICE_ACCOUNT, target.name, target.namespace)
        lasts_s = spec.get("expirationSeconds") or _TOKEN_S
        if not isinstance(lasts_s, int) or not _LEAST_S <= lasts_s <= _MOST_S:
            words = "may not specify a duration less than 10 minutes"
            if isinstance(lasts_s, int) and lasts_s > _MOST_S:
                words = "may not specify a duration larger than 2^32 seconds"
            raise _invalid_field(
                "TokenRequest", "spec.expirationSeconds", f"Invalid value: {lasts_s}: {words}"
            )
        bound = spec.get("boundObjectRef") or {}
        if bound and bound.get("kind") != "Pod":
            raise bad_request(f"cannot bind token for serviceaccount to type {bound.get('kind')}")
        audiences = [str(each) for each in spec.get("audiences") or [ISSUER]]
        claims = account_claims(
            target.namespace,
            target.name,
            account["metadata"]["uid"],
            lasts_s=lasts_s,
            audiences=audiences,
            bound_to={"pod": {"name": bound.get("name"), "uid": bound.get("uid")}}
            if bound
            else None,
        )
        return {
            "kind": "TokenRequest",
            "apiVersion": f"{_AUTHENTICATION}/v1",
            "metadata": {
                "name": target.name,
                "namespace": target.namespace,
                "creationTimestamp": timestamp(),
            },
            "spec": {
                "audiences": audiences,
                "expirationSeconds": lasts_s,
                "boundObjectRef": bound or None,
            },
            "status": {
                "token": self._tokens.issue(claims),
                "expirationTimestamp": timestamp(time.time() + lasts_s),
            },
        }

    async def _access_of_self(self, user: User, spec: Json, target: Target) -> Json:
        return await self._access(user, spec, target)

    async def _access_of_other(self, user: User, spec: Json, target: Target) -> Json:
        name, groups = spec.get("user") or "", spec.get("groups") or []
        if not name and not groups:
            words = "Invalid value: null: at least one of user or group must be specified"
            raise _invalid_field(target.kind.kind, "spec.user", words)
        account = parse_account(name)
        other = User(name, spec.get("uid") or "", tuple(groups), spec.get("extra") or {})
        if account is not None:
            other = account_user(*account, spec.get("uid") or "", {})
        elif "system:authenticated" not in groups and name != "system:anonymous":
            other = other._replace(groups=(*groups, "system:authenticated"))
        return await self._access(other, spec, target)

    async def _access(self, user: User, spec: Json, target: Target) -> Json:
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        if bool(resource) == bool(path):
            words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            raise _invalid_field(
                target.kind.kind, "spec.resourceAttributes", f"Invalid value: null: {words}"
            )
        if resource is None or path:
            path = path or {}
            wanted = Attributes(path.get("verb", ""), path=path.get("path", ""))
        else:
            wanted = Attributes(
                **{
                    name: str(resource.get(name) or "")
                    for name in ("verb", "group", "resource", "namespace", "name", "subresource")
                }
            )
            if target.namespace and wanted.namespace != target.namespace:
                words = f"must match metadata.namespace: {target.namespace}"
                raise _invalid_field(
                    target.kind.kind,
                    "spec.resourceAttributes.namespace",
                    f'Invalid value: "{wanted.namespace}": {words}',
                )
        decision = await self._authorizer.authorize(user, wanted)
        status: Json = {"allowed": decision.allowed}
        return {**status, "reason": decision.reason} if decision.reason else status

    async def _rules(self, user: User, spec: Json, target: Target) -> Json:
        namespace = spec.get("namespace")
        if not namespace:
            raise bad_request("no namespace on request")
        rules = await self._authorizer.rules(user, namespace)
        fields = ("verbs", "apiGroups", "resources", "resourceNames")
        return {
            "resourceRules": [
                {field: rule[field] for field in fields if field in rule}
                for rule in rules
                if rule.get("resources")
            ],
            "nonResourceRules": [
                {field: rule[field] for field in ("verbs", "nonResourceURLs")}
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
            "incomplete": False,
        }

    async def _self(self, user: User, spec: Json, target: Target) -> Json:
        return {"userInfo": describe(user)}

    async def _token(self, user: User, spec: Json, target: Target) -> Json:
        wanted = spec.get("audiences") or [ISSUER]
        identity = await self._authenticator.identify(str(spec.get("token") or ""))
        shared = [each for each in wanted if identity and each in identity.audiences]
        if identity is None or not shared:
            return {"user": {}, "error": "invalid bearer token"}
        status: dict[str, Any] = {"authenticated": True, "user": describe(identity.user)}
        return {**status, "audiences": shared}


def _invalid_field(kind: str, field: str, message: str) -> Exception:
    cause = Cause(field, "FieldValueInvalid", message)
    return invalid(
        next(each for each in (*REVIEWS, _TOKEN_REQUEST) if each.kind == kind), "", [cause]
    )


_TOKEN_REQUEST = _kind(_AUTHENTICATION, "TokenRequest")
