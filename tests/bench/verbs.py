"""Creates, gets, updates and lists, as one user has them and as fast as the server can."""

from __future__ import annotations

import time
from urllib.parse import quote

import orjson
from kubernetes.client import CoreV1Api
from sides import Side, both_sides, compare, config_map, rate

EACH, ROUNDS = 100, 7
MANY, PAGE = 10_000, 500


def measure_verbs(pids: list[int]) -> None:
    """Single objects, over one connection, one request after the other."""
    with both_sides(pids) as sides:

        def create(side: Side, number: int) -> float:
            def act(index: int) -> None:
                body = config_map(f"client-{number}-{index}")
                side.core.create_namespaced_config_map(side.namespace, body)

            return rate(EACH, act)

        def get(side: Side, number: int) -> float:
            def act(index: int) -> None:
                name = f"client-{number}-{index}"
                side.core.read_namespaced_config_map(name, side.namespace)

            return rate(EACH, act)

        def create_raw(side: Side, number: int) -> float:
            return rate(
                EACH, lambda n: side.request("POST", side.maps, config_map(f"raw-{number}-{n}"))
            )

        def get_raw(side: Side, number: int) -> float:
            return rate(EACH, lambda n: side.request("GET", f"{side.maps}/raw-{number}-{n}"))

        def replace_raw(side: Side, number: int) -> float:
            def act(index: int) -> None:
                body = config_map(f"raw-{number}-{index}", changed="yes")
                side.request("PUT", f"{side.maps}/raw-{number}-{index}", body)

            return rate(EACH, act)

        for title, act, aim in (
            ("creates, kubernetes client", create, "1.5"),
            ("gets, kubernetes client", get, "1"),
            ("creates, bare client", create_raw, "1.5"),
            ("gets, bare client", get_raw, "1"),
            ("replacements, bare client", replace_raw, ""),
        ):
            compare(title, sides, act, rounds=ROUNDS, unit="/s", aim=aim, per=EACH)


def measure_lists(pids: list[int]) -> None:
    """Lists of many objects."""
    with both_sides(pids) as sides:
        for side in sides:
            for number in range(MANY):
                side.request("POST", side.maps, config_map(f"many-{number}"))

        def whole(side: Side, _: int) -> float:
            began = time.perf_counter()
            text = side.request("GET", side.maps)
            seconds = time.perf_counter() - began
            _check(len(orjson.loads(text)["items"]))
            return 1 / seconds

        def paged(side: Side, _: int) -> float:
            began = time.perf_counter()
            count, token = 0, ""
            while True:
                more = f"&continue={quote(token)}" if token else ""
                page = orjson.loads(side.request("GET", f"{side.maps}?limit={PAGE}{more}"))
                count += len(page["items"])
                token = page["metadata"].get("continue", "")
                if not token:
                    break
            _check(count)
            return 1 / (time.perf_counter() - began)

        def by_client(side: Side, _: int) -> float:
            listing: CoreV1Api = side.core
            began = time.perf_counter()
            listing.list_namespaced_config_map(side.namespace, limit=300)
            return 1 / (time.perf_counter() - began)

        for title, act, rounds in (
            (f"lists of {MANY}, whole, bare client", whole, 9),
            (f"lists of {MANY}, by {PAGE}, bare client", paged, 7),
            ("lists of 300, kubernetes client", by_client, 7),
        ):
            compare(title, sides, act, rounds=rounds, unit="/s", aim="1", per=1)


def _check(count: int) -> None:
    # kube-root-ca.crt may be one more.
    if not MANY <= count <= MANY + 1:
        raise RuntimeError(f"{count} objects listed instead of {MANY}")
