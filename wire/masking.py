"""Hides passwords, tokens and other secrets of addresses in every text that leaves the program.

What is not known to be harmless is hidden: cameras put secrets into the login, the query and even the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

HIDDEN = "***"
EXAMPLE = re.compile(r"user:password@host(:\d{1,5})?(/path)?")
"""The example in messages and documentation, behind its scheme. It stays readable."""

ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:/{1,2})(.*)", re.DOTALL)
ADDRESS_IN_TEXT = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]+:/{1,2}(?:[^\s/?#@:\[]*:(?!\d{0,5}(?:[/?#\s,.;)'\"]|$))[^@\n]*?@)?\S*", re.MULTILINE
)
"""An address up to the next space. A login may contain spaces, if its password cannot be a port."""
SECRET_VALUE = re.compile(r"(?i)(\w*(?:pass|pwd|psw|token|secret|auth)\w*=)[^&\s'\"]+")
"""A secret in a text that lacks the scheme of an address."""
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(%\w+)?\]|[\w.-]+)?(:\d{0,5})?", re.ASCII)
LOGIN_WITH_SLASH = re.compile(r"[^/?#@:]*:(?!\d{0,5}[/?#])[^@]*[/?#].*@", re.DOTALL)
"""A login whose password contains / ? or #. The text after the colon cannot be a port."""
AROUND = ",.;:)]}'\""
"""What a sentence may add to the end of an address."""

WORD = re.compile(r"[a-z]+|[A-Z][a-z]*|[A-Z]+|\d+")
LONGEST_NUMBER, MOST_DIGITS, MOST_NUMBERS = 4, 6, 2
"""Digits of the longest number that is shown, such as a channel; digits and numbers of a whole part of a path."""
SIZE = re.compile(r"\d{3,4}x\d{3,4}")
SHORTEST_SECRET = 4
"""Characters of the shortest secret that is replaced in texts. A shorter one would match parts of ordinary words."""

HARMLESS_KEYS = frozenset(
    """
    audio bitrate cam camera ch channel codec compression enablesrtp format fps framerate height inst mode
    profile proto protocol quality res resolution rotation seconds seed sessiontimeout stream streamtype subtype
    tcp trackid transport transportmode type udp unicast video videocodec width
    """.split()  # noqa: SIM905 (a list would be one word per line)
)
"""Keys of a query whose values may be shown, if these are made of known words."""

KNOWN_WORDS = frozenset(
    """
    a ac amp api attic audio av avc axis b back backyard balcony basement bath bathroom bedroom c cam camera
    cams cellar cgi ch channel channels codec config dining door driveway e enable entrance events false ffmpeg
    first fluent flv front frontdoor frontyard garage garden gate h h264 h265 hall hallway hd healthz hevc high
    home i id image img input inst isapi jpeg jpg kitchen live living lobby login logout low m main media
    mediainput metrics mjpeg mjpg mkv mode monitor motion mp mp4 mpeg mpegts mqtt multicast no nph nursery o
    office onvif p parking path picture play pool porch preview primary profile proto r readyz real realmonitor
    reload room rtp rtsp s sd sdp second secondary shop shot smp snap snapshot snapshots srtp stairs store
    stream streaming streams street sub subtype t tcp terrace third track trackid true u udp ufirststream ultra
    unicast usecondstream v vide video videos videostream web webcam x yard
    """.split()  # noqa: SIM905 (a list would be one word per line)
)
"""Words of camera makers' paths, and of rooms. Any other word of a path may be a secret."""


def masked_address(address: str) -> str:
    """Return an address whose login, unknown query values and unknown parts of the path are `***`.

    A text that is no address, such as a webcam's index, is returned unchanged.
    """
    parts = ADDRESS.fullmatch(address)
    if parts is None or EXAMPLE.fullmatch(parts[2]):
        return address
    scheme, rest = parts.groups()
    login, host, tail = _split(rest)
    if host is None:
        return f"{scheme}{HIDDEN}"
    return f"{scheme}{HIDDEN + '@' if login else ''}{host}{_masked_tail(tail)}"


def masked(text: str) -> str:
    """Return a text in which each address is masked."""
    return SECRET_VALUE.sub(rf"\1{HIDDEN}", ADDRESS_IN_TEXT.sub(_masked_match, text))


class Secrets:
    """The secrets of known addresses. It finds them also where no address is around them. It is thread-safe."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()

    def add(self, addresses: Iterable[str], values: Iterable[str] = ()) -> None:
        """Add the hidden parts of these addresses, and `values`, which are secret as a whole."""
        forms = {form for text in addresses for secret in _secret_parts(text) for form in (secret, unquote(secret))}
        forms |= set(values)
        forms |= {quote(form, safe="") for form in forms}
        known = {form for form in forms if len(form) >= SHORTEST_SECRET}
        self._known = tuple(sorted({*self._known, *known}, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """Return the text without known secrets, and with all addresses masked."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return masked(text)


def _split(rest: str) -> tuple[str, str | None, str]:
    """Split the address behind its scheme into login, host with port, and the rest. The host is None if unclear."""
    before = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(before) :] and not LOGIN_WITH_SLASH.match(rest):
        return "", None, ""  # the @ may belong to a password in the path or in the query
    login, _, after = rest.rpartition("@")
    host = re.split(r"[/?#]", after, maxsplit=1)[0]
    return login, host if HOST.fullmatch(host) else None, after[len(host) :]


def _masked_tail(tail: str) -> str:
    path, mark, query = re.split(r"(\?)", tail.partition("#")[0], maxsplit=1) if "?" in tail else (tail, "", "")
    path, fragment, _ = path.partition("#")
    shown = "/".join(part if _is_known(part) else HIDDEN for part in path.split("/"))
    pairs = "".join(_masked_pair(part) for part in re.split(r"([&;])", query))
    return f"{shown}{mark}{pairs}{'#' + HIDDEN if fragment or '#' in tail else ''}"


def _masked_pair(part: str) -> str:
    key, equals, value = part.partition("=")
    if part in ("", "&", ";") or (key.lower() in HARMLESS_KEYS and not equals):
        return part
    if not re.fullmatch(r"[A-Za-z][\w-]*", key) or not equals:
        return HIDDEN
    return f"{key}={value if key.lower() in HARMLESS_KEYS and _is_known(value) else HIDDEN}"


def _is_known(part: str) -> bool:
    """Return whether a part of a path or a value consists of known words and short numbers."""
    if not re.fullmatch(r"[\w.,+-]*", part, re.ASCII):
        return False
    if part.lower() in KNOWN_WORDS or SIZE.fullmatch(part):
        return True
    words = WORD.findall(part)
    numbers = [word for word in words if word.isdecimal()]
    has_few_digits = len(numbers) <= MOST_NUMBERS and len("".join(numbers)) <= MOST_DIGITS
    return has_few_digits and all(
        len(word) <= LONGEST_NUMBER if word.isdecimal() else word.lower() in KNOWN_WORDS for word in words
    )


def _masked_match(found: re.Match[str]) -> str:
    address = found[0].rstrip(AROUND)
    return masked_address(address) + found[0][len(address) :]


def _secret_parts(text: str) -> list[str]:
    """Return the parts of an address that `masked_address` hides, without the user name."""
    parts = ADDRESS.fullmatch(text)
    if parts is None or masked_address(text) == text:
        return []
    login, host, tail = _split(parts[2])
    if host is None:
        return [parts[2]]
    user, _, password = login.partition(":")
    path, _, query = tail.partition("?")
    pairs = [pair.partition("=") for pair in re.split("[&;]", query) if _masked_pair(pair) != pair]
    values = [value for key, _, value in pairs if "user" not in key.lower() and key.lower() != "loginuse"]
    return [password or user, *values, *(part for part in path.split("/") if not _is_known(part))]
