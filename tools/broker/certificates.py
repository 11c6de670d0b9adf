"""The community's own certificate authority, and the certificate of its broker."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Each member has the authority in its invitation: another one would need new invitations for all.
AUTHORITY_LIFETIME = timedelta(days=20 * 365)
# What strict clients accept at most of a server's certificate.
SERVER_LIFETIME = timedelta(days=825)
# Small computers without a battery start with a clock of the past.
BEFORE = timedelta(days=1)


class Pair(NamedTuple):
    """A certificate and its key, both as PEM."""

    certificate: bytes
    key: bytes


def new_authority(community: str) -> Pair:
    """Make the authority of a community."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Energy Neighbours community {community}")
    now = datetime.now(UTC)
    certificate = (
        _certificate(name, name, key.public_key(), now, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def new_server(authority: Pair, host: str) -> Pair:
    """Make the certificate of the broker at a host name or IP address.

    Raises
    ------
    ValueError
        The authority cannot be read, or has ended.
    """
    root = x509.load_pem_x509_certificate(authority.certificate)
    root_key = serialization.load_pem_private_key(authority.key, password=None)
    if not isinstance(root_key, ec.EllipticCurvePrivateKey) or root_key.public_key() != root.public_key():
        raise ValueError("its key is not the key of its certificate")
    now = datetime.now(UTC)
    if root.not_valid_after_utc <= now:
        raise ValueError("it has ended")
    end = min(now + SERVER_LIFETIME, root.not_valid_after_utc)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _certificate(_name("Energy Neighbours broker"), root.subject, key.public_key(), now, end)
        .add_extension(x509.SubjectAlternativeName([_alternative_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return _pair(certificate, key)


def end_of(certificate: bytes) -> datetime:
    """Return when a certificate ends.

    Raises
    ------
    ValueError
        It is not a certificate.
    """
    return x509.load_pem_x509_certificate(certificate).not_valid_after_utc


def host_of(certificate: bytes) -> str:
    """Return the host name or IP address that a certificate is for.

    Raises
    ------
    ValueError
        It is not a certificate, or not one of a host.
    """
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise ValueError("it names no host") from None
    return str(next(iter(names)).value)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
