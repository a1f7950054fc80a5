"""Certificates of an authority of the tests, as files that may be replaced."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

SPIFFE_ID = "spiffe://cluster.local/ns/ci/sa/shop"


@dataclass
class Files:
    """A folder as Kubernetes mounts a Secret: all files are replaced in one step."""

    folder: Path
    version: int = 0

    def hold(self, **contents: bytes | trustme.Blob) -> None:
        """Replace all files; a name stands for ``NAME.pem``."""
        self.version += 1
        data = self.folder / f"..{self.version}"
        data.mkdir(parents=True)
        for name, content in contents.items():
            plain = content if isinstance(content, bytes) else content.bytes()
            (data / f"{name}.pem").write_bytes(plain)
        (self.folder / "..next").symlink_to(data.name)
        (self.folder / "..next").replace(self.folder / "..data")

    def serve(self, served: trustme.LeafCert, ca: trustme.CA | None = None) -> None:
        """Hold what a server needs; a ``ca`` is that of its callers."""
        chain = b"".join(blob.bytes() for blob in served.cert_chain_pems)
        authorities = {} if ca is None else {"ca": ca.cert_pem}
        self.hold(certificate=chain, key=served.private_key_pem, **authorities)

    def __getitem__(self, name: str) -> str:
        """The path of a file."""
        return str(self.folder / "..data" / f"{name}.pem")

    def settings(self, **others: str) -> dict[str, str]:
        """The block ``tls`` of the settings."""
        return {"certificate": self["certificate"], "key": self["key"], **others}


def trusting(ca: trustme.CA, *, shows: trustme.LeafCert | None = None) -> ssl.SSLContext:
    """What a caller connects with."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    if shows is not None:
        shows.configure_cert(context)
    return context


def workload(ca: trustme.CA) -> trustme.LeafCert:
    """The certificate of a workload: a SPIFFE id, and another name in the subject."""
    issued = ca.issue_cert("shop.ci", common_name="admin")
    own = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    authority = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("shop.ci"), x509.UniformResourceIdentifier(SPIFFE_ID)]
    )
    builder = x509.CertificateBuilder(
        issuer_name=own.issuer,
        subject_name=own.subject,
        public_key=own.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=own.not_valid_before_utc,
        not_valid_after=own.not_valid_after_utc,
    )
    signed = builder.add_extension(names, critical=False).sign(authority, hashes.SHA256())
    return trustme.LeafCert(
        issued.private_key_pem.bytes(), signed.public_bytes(serialization.Encoding.PEM), []
    )
