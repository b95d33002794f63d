"""A port that nobody uses at the moment."""

import socket


def free_port() -> int:
    """A free TCP port on this machine; another program may still take it first."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
