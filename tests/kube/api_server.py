"""A real etcd and kube-apiserver: processes with a folder of their own, that can be hurt."""

import atexit
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from kube.access import CERTIFICATE, Access, own_authority

ADMIN_TOKEN: Final = "token-of-the-admin"
_START_WITHIN_S: Final = 60.0


class Process:
    """One program that ends when we end, however that comes."""

    def __init__(self, log: Path, *command: str) -> None:
        # What finalizers cannot do, after a SIGKILL of pytest, the kernel does where it can.
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("ab") as output:
            # In a session of its own, so that Ctrl-C ends tests first and then this, in order.
            self._process = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._log = log
        atexit.register(self.kill)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once, even if it is stopped."""
        self._process.kill()
        self._process.wait()
        atexit.unregister(self.kill)

    def wait_until(self, happens: Callable[[], bool]) -> None:
        """Wait for something that it is about to do."""
        deadline_s = time.monotonic() + _START_WITHIN_S
        while not happens():
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline_s:
                tail = "\n".join(self._log.read_text().splitlines()[-20:])
                raise AssertionError(f"{'it ended' if ended else 'it is not ready'}:\n{tail}")
            time.sleep(0.05)


class ApiServer:
    """A kube-apiserver with its etcd; the first start takes seconds."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="kube-"))
        self._etcd_port, self._peer_port, self._port = _free_ports(3)
        self._etcd: Process | None = None
        self._process: Process | None = None
        url = f"https://127.0.0.1:{self._port}"
        self.access = Access(url, own_authority(), ADMIN_TOKEN)

    @property
    def version(self) -> str:
        """Such as ``v1.34.4``."""
        return version_of(self._binaries)

    def launch(self) -> None:
        """Start what does not run; from the main thread, with which it ends at the latest."""
        if self._etcd is None:
            self._etcd = self._launch_etcd()
        if self._process is None:
            binary = str(self._binaries / "kube-apiserver")
            self._process = Process(self._folder / "kube-apiserver.log", binary, *self._flags())

    def wait(self) -> None:
        """Wait until it is ready."""
        assert self._process is not None
        self._process.wait_until(self._is_ready)

    def stop(self) -> None:
        """Kill the API server; its data stay in etcd."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def freeze(self) -> None:
        """Stop it from answering; connections stay open and new ones are accepted."""
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.signal(signal.SIGCONT)

    def close(self) -> None:
        """End both processes and forget their data."""
        self.stop()
        if self._etcd is not None:
            self._etcd.kill()
            self._etcd = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _launch_etcd(self) -> Process:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        return Process(
            self._folder / "etcd.log",
            str(self._binaries / "etcd"),
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # What is lost with the machine is not missed.
            "--unsafe-no-fsync",
        )

    def _flags(self) -> Sequence[str]:
        tokens = self._folder / "tokens.csv"
        tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
        return (
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--cert-dir={self._folder}",
            f"--tls-cert-file={CERTIFICATE}",
            f"--tls-private-key-file={CERTIFICATE}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={CERTIFICATE}",
            f"--service-account-signing-key-file={CERTIFICATE}",
            "--service-cluster-ip-range=10.0.0.0/24",
            # Without a controller manager no namespace ever gets its service account.
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged=true",
            f"--kubelet-client-certificate={CERTIFICATE}",
            f"--kubelet-client-key={CERTIFICATE}",
            "--kubelet-preferred-address-types=InternalIP",
            "--endpoint-reconciler-type=none",
        )

    def _is_ready(self) -> bool:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        request = urllib.request.Request(f"{self.access.url}/readyz", headers=headers)
        return _says_ok(request, self.access.tls())


def version_of(binaries: Path) -> str:
    """What a folder's kube-apiserver says of itself, such as ``v1.34.4``."""
    command = [str(binaries / "kube-apiserver"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _says_ok(request: urllib.request.Request, tls: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=5, context=tls) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody uses and the kernel gives to no client."""
    ports: set[int] = set()
    while len(ports) < count:
        port = 20_000 + int.from_bytes(os.urandom(2)) % 12_000
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) != 0:
                ports.add(port)
    return sorted(ports)
