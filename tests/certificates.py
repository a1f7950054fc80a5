"""An authority, and the certificates that it signs."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LOCALHOST = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Authority:
    """Signs certificates; everything of it is in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        own = self._signed(self._name, self._key.public_key(), (), is_authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str, *others: x509.GeneralName, unit: str = "") -> Path:
        """A file with a key and a certificate that names somebody."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [
            x509.NameAttribute(oid, value)
            for oid, value in (
                (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
                (NameOID.COMMON_NAME, common_name),
            )
            if value
        ]
        made = self._signed(x509.Name(subject), key.public_key(), others)
        file = self._folder / f"{len(list(self._folder.iterdir()))}.pem"
        encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none)
        file.write_bytes(private + made.public_bytes(encoding))
        return file

    def server(self) -> Path:
        """A file with the key and the certificate of a server on this machine."""
        return self.issue("localhost", *_LOCALHOST)

    def client(self, certificate: Path | None = None) -> ssl.SSLContext:
        """A client that trusts this authority."""
        context = ssl.create_default_context(cafile=str(self.file))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def _signed(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        others: Sequence[x509.GeneralName],
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        day = dt.timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if others:
            builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
        return builder.sign(self._key, hashes.SHA256())
