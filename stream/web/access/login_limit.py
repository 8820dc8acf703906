"""Limits attempts to log in, for each address and in all."""

from __future__ import annotations

import logging
from ipaddress import IPv6Address, ip_address, ip_network

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from harstream.resilience.outage import QUIET, Outage

EACH_ADDRESS = "10/minute; 60/hour"
ALL = "30/minute"
"""Each attempt takes a core of a small board for up to a second."""
HOME_PREFIX = 64
"""Bits of an IPv6 address that one machine cannot choose freely. Source: RFC 4291, section 2.5.4."""

log = logging.getLogger(__name__)


class LoginLimit:
    """Counts attempts. The log has one line when attempts begin to be refused, and one when that is over."""

    def __init__(self, each_address: str = EACH_ADDRESS, in_all: str = ALL) -> None:
        self._each_address = parse_many(each_address)
        self._in_all = parse_many(in_all)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._refusals = Outage(
            log,
            "too many attempts to log in",
            begins="%s, the last from %s: more are refused for a while",
            ends="%s were refused: %d, now they are allowed again",
            quiet=QUIET,
        )

    def allows(self, address: str) -> bool:
        """Count one attempt, and return whether it may be made."""
        network = _network(address)
        # An address above its limit must not use up the limit in all, which bounds how many addresses are remembered.
        is_allowed = (
            all(self._limiter.test(limit, "address", network) for limit in self._each_address)
            and all(self._limiter.hit(limit, "all") for limit in self._in_all)
            and all(self._limiter.hit(limit, "address", network) for limit in self._each_address)
        )
        if is_allowed:
            self._refusals.record_success()
        else:
            self._refusals.record_failure(address)
        return is_allowed


def _network(address: str) -> str:
    """Return the address, or the network of an IPv6 address."""
    try:
        is_ipv6 = isinstance(ip_address(address), IPv6Address)
    except ValueError:
        return address
    return str(ip_network((address.partition("%")[0], HOME_PREFIX), strict=False)) if is_ipv6 else address
