"""The plane's own certificate authority and the certificate of its server.

They are made by `python -m fairlead_plane.certificates DIR` in a short process of its own, so that
`cryptography` (12 MB) never stays in the plane.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CA_FILE, CA_KEY_FILE = "ca.crt", "ca.key"
SERVER_FILE, SERVER_KEY_FILE = "server.crt", "server.key"
VALID_DAYS = 3650


class CertificateError(Exception):
    """The certificates could not be made."""


def ensure_certificates(folder: Path) -> None:
    """Make the files that are missing; those that are there are kept.

    Raises
    ------
    CertificateError
        With what the process that makes them said.
    """
    files = (CA_FILE, CA_KEY_FILE, SERVER_FILE, SERVER_KEY_FILE)
    if all((folder / name).exists() for name in files):
        return
    made = subprocess.run(
        [sys.executable, "-m", "fairlead_plane.certificates", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise CertificateError(f"The certificates could not be made: {made.stderr.strip()}")


def main(folder: Path) -> None:
    """Make a CA when there is none, and a server certificate signed by it."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    from .kubeconfig import write_private

    now = datetime.datetime.now(datetime.timezone.utc)

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def builder(
        subject: str, issuer: str, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            # A clock that is a little behind must not refuse a new certificate.
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
        )

    def usage(*, ca: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=ca,
            crl_sign=ca,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )

    def write(
        certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, crt: str, pem: str
    ) -> None:
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(folder / pem, secret)
        write_private(folder / crt, certificate.public_bytes(serialization.Encoding.PEM))

    ca_name = "fairlead-ca"
    if not ((folder / CA_FILE).exists() and (folder / CA_KEY_FILE).exists()):
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca = (
            builder(ca_name, ca_name, ca_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(ca=True), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        write(ca, ca_key, CA_FILE, CA_KEY_FILE)
    loaded = serialization.load_pem_private_key((folder / CA_KEY_FILE).read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise SystemExit(f"{CA_KEY_FILE} holds no elliptic curve key; remove the CA's two files")
    ca = x509.load_pem_x509_certificate((folder / CA_FILE).read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    )
    certificate = (
        builder("fairlead", ca_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(loaded.public_key()), critical=False
        )
        .add_extension(names, critical=False)
        .sign(loaded, hashes.SHA256())
    )
    write(certificate, key, SERVER_FILE, SERVER_KEY_FILE)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(str(error))
