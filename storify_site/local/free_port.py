"""Find a free TCP port."""

import socket


def free_port() -> int:
    """A TCP port that is free now; another program may still take it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
