"""A network of its own that has loopback only: nothing gets out, no port clashes, and mDNS works inside.

In there `lo` is up and carries multicast (224.0.0.0/4), so that a Home Assistant finds a meter announced on 127.0.0.1.
"""

import ctypes
import fcntl
import os
import socket
import struct
import threading

_SIOCADDRT, _SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x890B, 0x8913, 0x8914
_IFF_UP, _IFF_MULTICAST, _RTF_UP = 0x1, 0x1000, 0x1


class NamespaceError(Exception):
    """The machine does not let the program make a network namespace."""


def enter_loopback_namespace() -> None:
    """Move this process, and all that it starts from now on, into a fresh namespace with loopback only.

    As root directly, else through a user namespace. Call it before any thread or event loop starts.

    Raises
    ------
    NamespaceError
        The system is not Linux, forbids namespaces, or threads run already.
    """
    if not hasattr(os, "unshare"):
        raise NamespaceError("network namespaces exist on Linux only")
    if threading.active_count() > 1:
        raise NamespaceError("the namespace must be entered before other threads start")
    try:
        _unshare()
        _raise_loopback()
    except OSError as error:
        raise NamespaceError(
            "this machine allows no network namespace to this user"
            f" ({error.strerror}); run as root, or allow user namespaces"
            " (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)"
        ) from error


def _unshare() -> None:
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:  # not allowed to do it directly: become root of a user namespace first
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - a kernel interface
                file.write(text)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP | _IFF_MULTICAST))
        device = ctypes.create_string_buffer(b"lo")  # struct rtentry holds a pointer to the device's name
        route = struct.pack(
            "@L16s16s16sHhLLhPLLH6x",
            0,
            _address("224.0.0.0"),
            _address("0.0.0.0"),  # noqa: S104 - no gateway; nothing is bound
            _address("240.0.0.0"),
            _RTF_UP,
            0,
            0,
            0,
            0,
            ctypes.addressof(device),
            0,
            0,
            0,
        )
        fcntl.ioctl(control, _SIOCADDRT, route)


def _address(text: str) -> bytes:
    """Return a struct sockaddr_in."""
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
