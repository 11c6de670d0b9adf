"""Where a community's broker is, as entries keep it: address, encryption, who vouches for it, and a login."""

from collections.abc import Mapping
import re
import ssl
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_USERNAME

from .link import Broker

CONF_BROKER: Final = "broker"
CONF_TLS: Final = "tls"
CONF_CA: Final = "ca"
"""The authority's certificate as PEM; nothing if any public one vouches for the broker."""
TLS_PORT: Final = 8883
_CERTIFICATE: Final = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class CertificateError(ValueError):
    """A text holds no certificate."""


def read_broker(data: Mapping[str, Any]) -> Broker:
    """Read where a broker is."""
    ca = data.get(CONF_CA)
    return Broker(
        host=data[CONF_HOST],
        port=data[CONF_PORT],
        tls=data[CONF_TLS],
        ca=ssl.PEM_cert_to_DER_cert(ca) if ca else None,
        username=data[CONF_USERNAME],
        password=data[CONF_PASSWORD],
    )


def write_broker(broker: Broker) -> dict[str, Any]:
    """Write where a broker is."""
    return {
        CONF_HOST: broker.host,
        CONF_PORT: broker.port,
        CONF_TLS: broker.tls,
        CONF_CA: ssl.DER_cert_to_PEM_cert(broker.ca) if broker.ca else None,
        CONF_USERNAME: broker.username,
        CONF_PASSWORD: broker.password,
    }


def read_certificate(pasted: str) -> bytes | None:
    """Return the certificate in a text, as DER; None if the text is empty.

    Raises
    ------
    CertificateError
        There is none in it.
    """
    if not pasted.strip():
        return None
    found = _CERTIFICATE.search(pasted)
    if not found:
        raise CertificateError
    try:
        certificate = ssl.PEM_cert_to_DER_cert(found.group())
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except (ValueError, ssl.SSLError) as error:
        raise CertificateError from error
    return certificate
