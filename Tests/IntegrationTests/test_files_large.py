"""Large static files: slow clients, many at once, clients that leave, files that change while they are sent."""

import json
import os
import threading

import pytest
from harness.client import connect, publish
from harness.gateway import settings
from harness.raw import Closed, Connection
from harness.site import LETTERS, MEGABYTE, closes, drained, get, large, open_files, serve, site  # noqa: F401
from harness.sse import Stream


def bytes_read(gateway):
    """Bytes that the gateway got by reading, of whatever."""
    with open(f"/proc/{gateway.pid}/io") as file:
        return int(file.readline().removeprefix("rchar: "))


class TestLargeFiles:
    def test_to_a_slow_reader_take_no_memory(self, serve, site):
        gateway = serve()
        path = large(site, 200)
        before = gateway.resident_kilobytes()
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            head = exchange.head()
            assert (head.status, head["Content-Length"]) == (200, str(200 * MEGABYTE))
            for _ in range(20):
                # Others are served while this one takes nothing.
                assert get(gateway, "/static/letters.txt").body == LETTERS
            assert gateway.resident_kilobytes() - before < 20_000
            assert open_files(gateway, path) == 1
            assert drained(exchange, 200 * MEGABYTE) == (200).to_bytes(8)
            assert gateway.resident_kilobytes() - before < 20_000
            assert closes(gateway, path)

    def test_all_at_once(self, serve, site):
        gateway = serve()
        path = large(site, 20)
        ends = []

        def download():
            with connect(gateway.port) as connection:
                exchange = connection.open(path="/static/large.bin")
                assert exchange.head().status == 200
                ends.append(drained(exchange, 20 * MEGABYTE))

        threads = [threading.Thread(target=download) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ends == [(20).to_bytes(8)] * 6
        assert closes(gateway, path)

    @pytest.mark.h2
    def test_many_on_one_connection(self, serve, site):
        gateway = serve()
        path = large(site, 2)
        with connect(gateway.port) as connection:
            connection.gives_back = "at once"
            exchanges = [connection.open(path="/static/large.bin") for _ in range(20)]
            for exchange in exchanges:
                assert exchange.response().body[-8:] == (2).to_bytes(8)
        assert closes(gateway, path)

    @pytest.mark.h2
    def test_through_a_small_window(self, serve, site):
        gateway = serve()
        path = large(site, 1)
        with connect(gateway.port, window=1000) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            assert drained(exchange, MEGABYTE) == (1).to_bytes(8)
            assert exchange.piece() is None
        assert closes(gateway, path)

    @pytest.mark.h2
    def test_no_more_is_read_than_there_is_room_for(self, serve, site):
        gateway = serve()
        large(site, 1)
        with connect(gateway.port, window=0) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            connection.window(connection=1000)
            before = bytes_read(gateway)
            for _ in range(200):
                connection.window(exchange=(exchange, 1))
                connection.gives_back = False
                assert len(exchange.piece()) == 1
            # Pieces of files, and what came from the client and from timers.
            assert bytes_read(gateway) - before < 200 * 500

    def test_events_go_on_beside_them(self, serve, site):
        gateway = serve(workers=1)
        large(site, 100)
        with Stream(gateway.port, "/events").opened() as stream, connect(gateway.port) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            for number in range(5):
                publish(gateway.port, str(number))
                assert stream.next().data == str(number)
                drained_some = exchange.piece()
                assert drained_some

    def test_a_client_that_leaves_frees_the_file(self, serve, site, protocol):
        gateway = serve()
        path = large(site, 50)
        for leaves in ["close", "reset"]:
            with connect(gateway.port, receive_buffer=65536) as connection:
                exchange = connection.open(path="/static/large.bin")
                assert exchange.head().status == 200
                assert exchange.piece()
                assert open_files(gateway, path) == 1
                if leaves == "reset":
                    connection.reset()
                else:
                    exchange.close()
                    if protocol == "h2":
                        # The connection stays, and what was under way on it is read.
                        connection.ping()
                assert closes(gateway, path)

    def test_a_client_that_takes_nothing_is_let_go(self, serve, site, protocol):
        gateway = serve(limits={"write_timeout": "200ms"})
        path = large(site, 50)
        window = {"window": 0} if protocol == "h2" else {}
        with connect(gateway.port, receive_buffer=4096, **window) as connection:
            exchange = connection.open(path="/static/large.bin")
            gateway.wait_for_log("write timeout")
            assert closes(gateway, path)
            with pytest.raises(Closed):
                exchange.head()
                drained(exchange, 50 * MEGABYTE)
                raise AssertionError("all of it came")

    @pytest.mark.http1
    def test_a_client_that_ended_its_side_gets_all_of_it(self, serve, site):
        gateway = serve()
        large(site, 20)
        for version in ["1.0", "1.1"]:
            with Connection(gateway.port) as connection:
                exchange = connection.open(path="/static/large.bin", version=version)
                connection.socket.shutdown(1)
                assert exchange.head().status == 200
                assert drained(exchange, 20 * MEGABYTE) == (20).to_bytes(8)
                assert connection.ended()

    @pytest.mark.http1
    def test_requests_in_a_row(self, serve, site):
        gateway = serve()
        large(site, 5)
        with Connection(gateway.port) as connection:
            one = b"GET /static/large.bin HTTP/1.1\r\nHost: a\r\n\r\n"
            other = b"GET /static/letters.txt HTTP/1.1\r\nHost: a\r\n\r\n"
            connection.send((one + other) * 3)
            for _ in range(3):
                assert connection.response().body[-8:] == (5).to_bytes(8)
                assert connection.response().body == LETTERS
            # More than begin in one tick.
            connection.send(other * 300)
            for _ in range(300):
                assert connection.response().body == LETTERS

    def test_over_tls(self, serve, site, authority, trusting):
        gateway = serve(listeners=["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": authority.tls()}])
        large(site, 30)
        with connect(gateway.ports[1], tls=trusting) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            assert drained(exchange, 30 * MEGABYTE) == (30).to_bytes(8)


class TestFilesThatChange:
    def test_a_file_that_shrinks_is_broken_off(self, serve, site):
        gateway = serve()
        path = large(site, 50)
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            os.truncate(path, MEGABYTE)
            came = 0
            with pytest.raises(Closed):
                while piece := exchange.piece():
                    came += len(piece)
                raise Closed("the end of the connection")
            # What stood there when it was read, and nothing made up.
            assert came < 50 * MEGABYTE
            gateway.wait_for_log("a file was broken off")
            assert closes(gateway, path)

    def test_a_file_that_grows_is_as_long_as_announced(self, serve, site):
        gateway = serve()
        path = large(site, 20)
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            os.truncate(path, 30 * MEGABYTE)
            drained(exchange, 20 * MEGABYTE)
            assert connection.request(path="/static/letters.txt").body == LETTERS

    def test_a_file_that_is_replaced_is_sent_as_it_was(self, serve, site):
        gateway = serve()
        path = large(site, 20)
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            large(site, 3, "new.bin")
            os.replace(site / "new.bin", path)
            assert drained(exchange, 20 * MEGABYTE) == (20).to_bytes(8)
            assert len(connection.request(path="/static/large.bin").body) == 3 * MEGABYTE

    def test_a_stop_lets_a_download_end(self, serve, start, site):
        gateway = serve(shutdown_grace="20s")
        large(site, 20)
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            gateway.signal()
            gateway.wait_for_log("stopping")
            assert drained(exchange, 20 * MEGABYTE) == (20).to_bytes(8)
        assert gateway.wait() == 0
        start.gateways.remove(gateway)


class TestTheAccessLog:
    def test_tells_of_a_file_that_shrank(self, serve, site, protocol):
        gateway = serve(log={"access": "stdout"})
        path = large(site, 50)
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open(path="/static/large.bin")
            assert exchange.head().status == 200
            os.truncate(path, MEGABYTE)
            with pytest.raises(Closed):
                while exchange.piece():
                    pass
                raise Closed("the end of the connection")
            line = json.loads(gateway.wait_for_log('"event":"request"'))
        assert (line["status"], line["reason"]) == (200, "file_changed")
        assert line["bytes"] < 50 * MEGABYTE

    @pytest.mark.h2
    @pytest.mark.parametrize("size", [5000, 40_000, 2 * MEGABYTE])
    @pytest.mark.parametrize("target", ["files", "respond"])
    def test_tells_of_a_client_that_took_a_part(self, start, site, size, target):
        (site / "part.bin").write_bytes(b"x" * size)
        target = {"files": "site"} if target == "files" else {"respond": {"file": "site/part.bin"}}
        routes = [{"match": "/static/**", **target}, {"match": "/ok", "respond": "ok"}]
        gateway = start(settings(routes=routes, log={"access": "stdout"}))
        with connect(gateway.port, window=100) as connection:
            exchange = connection.open(path="/static/part.bin")
            connection.gives_back = False
            assert exchange.head().status == 200
            assert drained(exchange, 100) == b"x" * 8
            exchange.reset()
            line = json.loads(gateway.wait_for_log('"event":"request"'))
        assert (line["status"], line["bytes"], line.get("reason")) == (200, 100, "client_left")

    def test_tells_nothing_of_what_was_whole(self, serve, site):
        gateway = serve(log={"access": "stdout"})
        large(site, 1)
        with connect(gateway.port) as connection:
            for path in ["large.bin", "letters.txt", "empty.txt"]:
                assert connection.request(path=f"/static/{path}").status == 200
                line = json.loads(gateway.wait_for_log(f'"path":"/static/{path}"'))
                assert "reason" not in line and line["status"] == 200
