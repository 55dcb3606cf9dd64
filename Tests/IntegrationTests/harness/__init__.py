"""What the tests share: the gateway as a process, clients that see every byte, upstreams, a browser."""
