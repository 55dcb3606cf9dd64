"""Headers of the PROXY protocol."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v1(address, port=40000):
    version = ipaddress.ip_address(address).version
    return f"PROXY TCP{version} {address} {address} {port} 443\r\n".encode()


def v2(address=None, port=40000, command=1, extensions=b"", family=None):
    """A header; without an address one that names nobody."""
    packed = ipaddress.ip_address(address).packed if address else b""
    block = packed + packed + struct.pack("!HH", port, 443) if address else b""
    if family is None:
        family = {0: 0x00, 4: 0x11, 16: 0x21}[len(packed)]
    block += extensions
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack("!H", len(block)) + block


def extension(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


LOCAL = v2(command=0)


def by_bytes(data):
    return [data[place : place + 1] for place in range(len(data))]
