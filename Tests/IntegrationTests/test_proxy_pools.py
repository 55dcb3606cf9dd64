"""Pools of servers as a user meets them: who gets which request, and what happens when a server is not well."""

from collections import Counter
from concurrent.futures import as_completed

import pytest
from harness.client import ask, connect
from harness.gateway import PATIENCE
from harness.pool import answers, many, names, pool, serve  # noqa: F401
from harness.proxied import goes_on  # noqa: F401


def as_finished(futures):
    return as_completed(futures, timeout=PATIENCE)


class TestBalance:
    def test_round_robin_gives_each_the_same(self, pool, serve):
        gateway = pool(serve("a", "b", "c"))
        assert Counter(answers(gateway.port, 9)) == {"a": 3, "b": 3, "c": 3}

    def test_round_robin_counts_for_all_workers_together(self, pool, serve):
        gateway = pool(serve("a", "b"), workers=2)
        assert Counter(answers(gateway.port, 20)) == {"a": 10, "b": 10}

    @pytest.mark.parametrize("balance", ["least_connections", "random"])
    def test_who_is_busy_is_spared(self, pool, serve, balance):
        a, b = servers = serve("a", "b")
        gateway = pool(servers, balance=balance)
        a.hold()
        b.hold()
        held = many(gateway.port, ["/"] * 2)
        a.wait_for(1)
        b.wait_for(1)
        a.release()
        assert next(as_finished(held)).result().body == b"a"
        assert answers(gateway.port, 6) == ["a"] * 6
        b.release()
        assert {each.result().body for each in held} == {b"a", b"b"}

    def test_random_uses_all(self, pool, serve):
        gateway = pool(serve("a", "b", "c"), balance="random")
        assert set(answers(gateway.port, 60)) == {"a", "b", "c"}

    SOURCES = {"header": {"header": "X-User"}, "cookie": {"cookie": "sid"}, "query": {"query": "user"}}
    # How each request shows a key.
    KEYS = {
        "header": lambda key: {"fields": {"X-User": key}},
        "cookie": lambda key: {"fields": {"Cookie": f"a=b; sid={key}; c=d"}},
        "query": lambda key: {"path": f"/?a=b&user={key}"},
        "address": lambda key: {"fields": {"X-Forwarded-For": f"192.0.2.{key}"}},
    }

    @pytest.mark.parametrize("source", KEYS)
    def test_hash_sticks_and_moves_only_the_share_of_one_that_goes(self, pool, serve, source):
        servers = serve("a", "b", "c", "d")
        gateway = pool(
            servers,
            workers=2,
            balance="hash",
            hash=self.SOURCES.get(source, source),
            passive={"failures": 1, "for": "1h"},
            more={"trusted_proxies": ["127.0.0.0/8"]},
        )
        homes = lambda: {key: answers(gateway.port, 1, **self.KEYS[source](key))[0] for key in range(40)}  # noqa: E731
        before = homes()
        assert homes() == before
        assert len(set(before.values())) == 4
        servers[1].close()
        after = homes()
        assert homes() == after
        assert {key for key in before if before[key] != after[key]} == {key for key in before if before[key] == "b"}
        assert "b" not in after.values()

    @pytest.mark.http1
    def test_a_client_without_a_trusted_proxy_is_known_by_its_own_address(self, pool, serve):
        gateway = pool(serve("a", "b", "c", "d"), balance="hash", hash="address")
        assert len({answers(gateway.port, 1, fields={"X-Forwarded-For": f"192.0.2.{key}"})[0] for key in range(9)}) == 1


CHECK = {"path": "/healthz", "every": "100ms", "timeout": "5s", "fall": 2, "rise": 2}


class TestHealthChecks:
    def test_take_a_server_out_and_in_again(self, pool, serve):
        a, b = servers = serve("a", "b")
        a.statuses["/healthz"] = b.statuses["/healthz"] = 200
        gateway = pool(servers, workers=2, health_check=CHECK)
        assert Counter(answers(gateway.port, 4)) == {"a": 2, "b": 2}
        a.statuses["/healthz"] = 500
        a.wait_for_checks("/healthz", 2)
        assert answers(gateway.port, 6) == ["b"] * 6
        a.statuses["/healthz"] = 200
        a.wait_for_checks("/healthz", 2)
        assert Counter(answers(gateway.port, 4)) == {"a": 2, "b": 2}

    def test_when_all_are_down_the_answer_says_so_at_once(self, pool, serve):
        server = serve("a")
        server.statuses["/healthz"] = 500
        gateway = pool([server], health_check=CHECK)
        server.wait_for_checks("/healthz", 2)
        response = ask(gateway.port)
        assert response.status == 503 and "no server of the upstream is up" in response.text
        assert server.asked() == 0
        server.statuses["/healthz"] = 200
        server.wait_for_checks("/healthz", 2)
        assert ask(gateway.port).status == 200

    def test_who_waits_is_told_when_the_last_server_goes_down(self, pool, serve):
        server = serve("a")
        server.statuses["/healthz"] = 200
        gateway = pool([server], health_check=CHECK, connections=1, queue={"timeout": "1h"})
        server.hold()
        first, second = many(gateway.port, ["/", "/"])
        server.wait_for(1)
        server.statuses["/healthz"] = 500
        refused = next(each for each in as_finished([first, second])).result()
        assert refused.status == 503 and "no server of the upstream is up" in refused.text
        server.release()
        assert sorted(each.result().status for each in (first, second)) == [200, 503]

    @pytest.mark.http1
    def test_one_that_comes_up_serves_who_waits(self, pool, serve):
        a, b = servers = serve("a", "b")
        a.statuses["/healthz"], b.statuses["/healthz"] = 200, 500
        gateway = pool(servers, workers=2, health_check=CHECK, connections=1, queue={"timeout": "1h"})
        b.wait_for_checks("/healthz", 2)
        a.hold()
        held = many(gateway.port, ["/", "/"])
        a.wait_for(1)
        b.statuses["/healthz"] = 200
        assert next(as_finished(held)).result().body == b"b"
        a.release()
        assert {each.result().body for each in held} == {b"a", b"b"}


class TestNames:
    def test_each_address_of_a_name_is_a_server(self, pool, serve, names):
        first = serve("a")
        second = serve("b", host="127.0.0.2", port=first.port)
        names.set("app.test", "127.0.0.1", "127.0.0.2")
        gateway = pool([f"http://app.test:{first.port}"], environment=names.environment)
        assert Counter(answers(gateway.port, 6)) == {"a": 3, "b": 3}
        assert second.asked() == 3

    def test_requests_that_come_before_the_look_up_wait_for_it(self, pool, serve, names):
        server = serve("a")
        gateway = pool([f"http://app.test:{server.port}"], workers=2, environment=names.environment)
        waiting = many(gateway.port, ["/"] * 4)
        assert ask(gateway.port, path="/ok").status == 200
        assert server.asked() == 0 and not any(each.done() for each in waiting)
        names.set("app.test", "127.0.0.1")
        assert [each.result().status for each in waiting] == [200] * 4

    def test_a_name_that_does_not_exist_is_503_at_once_and_serves_when_it_does(self, pool, serve, names):
        server = serve("a")
        gateway = pool([f"http://app.test:{server.port}"], environment=names.environment, queue={"timeout": "1h"})
        waiting = many(gateway.port, ["/"])
        names.set("app.test")
        response = waiting[0].result()
        assert response.status == 503 and "no address of the upstream is known" in response.text
        assert ask(gateway.port).status == 503
        assert "app.test" in gateway.wait_for_log("name is not found")
        names.set("app.test", "127.0.0.1")
        while (response := ask(gateway.port)).status == 503:
            pass
        assert response.body == b"a"

    @pytest.mark.http1
    def test_addresses_that_go_get_no_more_requests_and_finish_what_they_have(self, pool, serve, names):
        old = serve("old")
        new = serve("new", host="127.0.0.2", port=old.port)
        names.set("app.test", "127.0.0.1")
        gateway = pool([f"http://app.test:{old.port}"], environment=names.environment, resolve="1s")
        assert answers(gateway.port, 2) == ["old"] * 2
        old.hold("/held")
        held = many(gateway.port, ["/held"])
        old.wait_for_asked("/held", 1)
        names.set("app.test", "127.0.0.2")
        while answers(gateway.port, 1) != ["new"]:
            pass
        before = old.asked()
        assert answers(gateway.port, 4) == ["new"] * 4
        assert old.asked() == before and not held[0].done()
        old.release()
        assert held[0].result().body == b"old"

    @pytest.mark.http1
    def test_a_look_up_that_fails_later_changes_nothing(self, pool, serve, names):
        server = serve("a")
        names.set("app.test", "127.0.0.1")
        gateway = pool([f"http://app.test:{server.port}"], environment=names.environment, resolve="1s")
        assert answers(gateway.port, 1) == ["a"]
        names.set("app.test")
        gateway.wait_for_log("name is not found")
        assert answers(gateway.port, 3) == ["a"] * 3


class TestLimits:
    def test_a_server_never_has_more_requests_than_it_may(self, pool, serve):
        server = serve("a")
        gateway = pool([server], workers=2, connections=3, queue={"timeout": "1h"})
        server.hold()
        futures = many(gateway.port, ["/"] * 12)
        server.wait_for(3)
        assert ask(gateway.port, path="/ok").status == 200
        assert server.now == 3
        server.release()
        assert [each.result().body for each in futures] == [b"a"] * 12
        assert server.most == 3 and server.asked() == 12

    def test_a_full_queue_is_503_with_its_reason(self, pool, serve):
        server = serve("a")
        gateway = pool([server], connections=1, queue={"size": 1, "timeout": "1h"})
        server.hold()
        futures = many(gateway.port, ["/"] * 3)
        refused = next(as_finished(futures)).result()
        assert refused.status == 503 and "too many requests wait" in refused.text
        assert refused["Retry-After"]
        server.release()
        assert sorted(each.result().status for each in futures) == [200, 200, 503]

    def test_who_waits_too_long_is_told(self, pool, serve):
        server = serve("a")
        gateway = pool([server], connections=1, queue={"timeout": "100ms"})
        server.hold()
        futures = many(gateway.port, ["/"] * 2)
        refused = next(as_finished(futures)).result()
        assert refused.status == 503 and "was free in time" in refused.text
        server.release()
        assert sorted(each.result().status for each in futures) == [200, 503]

    @pytest.mark.h2
    def test_first_come_first_served(self, pool, serve):
        server = serve("a")
        gateway = pool([server], connections=1)
        server.hold()
        with connect(gateway.port) as connection:
            exchanges = [connection.open(path=f"/{number}") for number in range(20)]
            server.wait_for(1)
            server.release()
            assert [each.response().status for each in exchanges] == [200] * 20
        assert [path for _, path, _ in server.seen] == [f"/{number}" for number in range(20)]
