"""What `compare` measures: a name, what it shows, and the options of the load generator (load/main.c)."""

from typing import NamedTuple

COST = ("server_us_per_delivery", "deliveries_per_s", "p50_us", "p99_us", "lost", "dead")
MEMORY = ("kb_per_conn", "handshake_us_per_conn", "server_us_per_delivery", "p99_us", "lost", "dead")
STORM = ("storm_s", "storm_us_per_conn", "connects_per_cpu_s", "bystander_p50_us", "bystander_p99_us", "growth_mb", "dead")


class Scenario(NamedTuple):
    about: str
    load: str
    figures: tuple = COST
    # Who can take part.
    systems: tuple = ("floor", "nchan", "sluice")
    workers: int = 1
    history: int = 100
    # What is counted beside: system calls, allocations, connections per worker.
    counts: str = ""


ALL, TWO, ALONE = ("floor", "nchan", "sluice"), ("nchan", "sluice"), ("sluice",)
MANY_TOPICS = "--path /sub/%C% --pub-path /pub/%C%"

SCENARIOS = {
    "plain": Scenario("1000 subscribers, 100 events/s", "--conns 1000 --rate 100"),
    "tls": Scenario("2000 subscribers, 20 events/s, TLS", "--tls --conns 2000 --rate 20"),
    "flood": Scenario(
        "1000 subscribers, 2000 events/s offered by 16 publishers",
        "--conns 1000 --rate 2000 --secs 3 --publishers 16"),
    "tlsflood": Scenario(
        "1000 subscribers, 1000 events/s offered by 16 publishers, TLS",
        "--tls --conns 1000 --rate 1000 --secs 3 --publishers 16"),
    "idle": Scenario(
        "5000 subscribers, nearly idle: memory", "--conns 5000 --rate 2 --secs 2 --srcips 4", MEMORY),
    "tlsidle": Scenario(
        "5000 subscribers, nearly idle, TLS: memory", "--tls --conns 5000 --rate 2 --secs 2 --srcips 4", MEMORY),
    "topics": Scenario(
        "5000 subscribers on 5000 topics, 4000 events/s offered by 64 publishers",
        f"{MANY_TOPICS} --conns 5000 --channels 5000 --rate 4000 --secs 4 --publishers 64 --srcips 4", COST, TWO),
    "h2": Scenario(
        "10,000 subscribers on 100 HTTP/2 connections, 10 events/s",
        "--h2 100 --conns 10000 --rate 10", COST + ("kb_per_conn",), TWO),
    "h2one": Scenario(
        "5000 subscribers on an HTTP/2 connection each, nearly idle: memory",
        "--h2 1 --conns 5000 --rate 2 --secs 2 --srcips 4", MEMORY, TWO),
    "nogzip": Scenario(
        "1000 subscribers, 100 events/s of 200 bytes of JSON",
        "--conns 1000 --rate 100 --size 200", COST + ("wire_bytes_per_delivery", "kb_per_conn")),
    "gzip": Scenario(
        "the same, compressed (nchan cannot)", "--gzip --conns 1000 --rate 100 --size 200",
        COST + ("wire_bytes_per_delivery", "kb_per_conn"), ALONE),
    "slow": Scenario(
        "1000 subscribers of which 200 read nothing, 40 events/s of 4000 bytes; the figures are those of the others",
        "--conns 1000 --slow 200 --rate 40 --size 4000 --secs 10", COST + ("growth_mb",)),
    "trickle": Scenario(
        "the same, but the 200 read 2000 bytes a second",
        "--conns 1000 --slow 200 --trickle 2000 --rate 40 --size 4000 --secs 10", COST + ("growth_mb",)),
    "storm": Scenario(
        "3000 subscribers come at once over TLS, 500 at a time, while 100 others have 50 events/s of another topic",
        "--tls --conns 0 --rate 0 --bystanders 100 --storm 3000 --inflight 500 --secs 30", STORM, TWO),
    "replay": Scenario(
        "5000 subscribers come at once, 1000 events back; another topic has one with 50 events/s",
        "--conns 1 --rate 0 --bystanders 1 --replay 1000 --storm 5000 --inflight 1000 --secs 60 --srcips 4",
        ("storm_s", "us_per_replayed", "bystander_p50_us", "bystander_p99_us", "growth_mb", "dead"), TWO, history=1100),
    "oneworker": Scenario(
        "3000 subscribers, 20 events/s, one worker", "--conns 3000 --rate 20", COST, TWO, counts="shares"),
    "twoworkers": Scenario(
        "the same, two workers: what a delivery costs more, and the larger worker's share of the subscribers",
        "--conns 3000 --rate 20", COST + ("largest_share",), TWO, workers=2, counts="shares"),
    "fair": Scenario(
        "a broadcast to 15,000, 2 events/s: what it does to new connections, another topic and heartbeats",
        "--conns 15000 --rate 2 --secs 8 --srcips 4 --bystanders 1 --quiet 5 --probes 20",
        ("server_us_per_delivery", "p99_us", "probe_head_p50_us", "probe_head_p99_us", "bystander_p50_us",
         "bystander_p99_us", "heartbeat_gap_most_us", "lost"), TWO),
    "tlsfair": Scenario(
        "the same over TLS, 10,000 subscribers",
        "--tls --conns 10000 --rate 2 --secs 8 --srcips 4 --bystanders 1 --quiet 5 --probes 20",
        ("server_us_per_delivery", "p99_us", "probe_handshake_p50_us", "probe_handshake_p99_us", "bystander_p50_us",
         "bystander_p99_us", "heartbeat_gap_most_us", "lost"), TWO),
    "calls": Scenario(
        "200 subscribers, 20 events/s: system calls of the server for 1000 deliveries",
        "--conns 200 --rate 20", ("calls_per_1000", "calls"), counts="calls"),
    "allocations": Scenario(
        "the same: allocations", "--conns 200 --rate 20",
        ("allocations_per_1000", "allocated_bytes_per_1000"), counts="allocations"),
    "topiccalls": Scenario(
        "500 topics with a subscriber each, 500 events/s: system calls for 1000 events",
        f"{MANY_TOPICS} --conns 500 --channels 500 --rate 500 --publishers 8", ("calls_per_1000", "calls"), TWO,
        counts="calls"),
    "topicallocations": Scenario(
        "the same: allocations", f"{MANY_TOPICS} --conns 500 --channels 500 --rate 500 --publishers 8",
        ("allocations_per_1000", "allocated_bytes_per_1000"), TWO, counts="allocations"),
}  # fmt: skip
