"""What `config.yaml` says of secrets and of the way into the network."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from cm.config.cadence import Model
from cm.i18n import N_, _

_SECRET = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:.+/.+|command:.*\S.*)")
PROXIES = ("http", "https")


def is_reference(value: str) -> bool:
    """True for what says where a secret is kept."""
    return _SECRET.fullmatch(value) is not None


def _secret_reference(value: object) -> object:
    if isinstance(value, str) and not is_reference(value):
        raise ValueError(
            _("a token never stands in this file: write env:NAME, file:PATH, keyring:SERVICE/NAME or command:WORDS")
        )
    return value


SecretRef = Annotated[str, BeforeValidator(_secret_reference)]
"""Where a secret is kept; see `cm.secrets.places`."""


def is_proxy(address: str) -> bool:
    """True for the address of a proxy, with or without a login."""
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError:
        return False
    extra = parts.path.strip("/") or parts.query or parts.fragment
    return parts.scheme in PROXIES and bool(parts.hostname) and not extra and address.isprintable()


def _proxy(value: object) -> object:
    """An address without login, or where one with a login is kept."""
    if not isinstance(value, str) or is_reference(value):
        return value
    if "@" in value:
        raise ValueError(_("a password never stands in this file: write env:NAME or file:PATH for the whole address"))
    if not is_proxy(value):
        raise ValueError(_("write it as http://proxy.hospital.example:3128, or as env:NAME"))
    return value


class NetworkSettings(Model):
    """How this institution reaches the network; holds for everything that goes out."""

    proxy: Annotated[str, BeforeValidator(_proxy)] | None = Field(
        None,
        examples=["http://proxy.hopital.example:3128"],
        description=N_("The proxy that all requests go through; with a password: env:NAME or file:PATH."),
    )
    ca_bundle: str | None = Field(
        None,
        min_length=1,
        examples=["/etc/ssl/certs/hopital.pem"],
        description=N_("Certificates to believe in place of the usual ones (a file; for proxies that look inside)."),
    )
    timeout: float | None = Field(
        None,
        gt=0,
        le=600,
        allow_inf_nan=False,
        examples=[60],
        description=N_("Seconds to wait for one answer; 60 for platforms, 10 for the watcher, if left out."),
    )
