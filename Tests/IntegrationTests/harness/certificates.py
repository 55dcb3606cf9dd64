"""Certificates made with openssl."""

import pathlib
import subprocess


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True, **more).stdout


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.certificate = self.folder / "authority.pem"
        self._key = self.folder / "authority.key"
        self._count = 0
        self._new_key(self._key)
        openssl(
            "req", "-x509", "-new", "-key", self._key, "-out", self.certificate, "-days", "30",
            "-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def _new_key(self, path):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)

    def issue(self, *names, days=20, usage="serverAuth"):
        """A certificate (with its key) for DNS names and IP addresses; days below 0: expired."""
        self._count += 1
        key = self.folder / f"{self._count}.key"
        certificate = self.folder / f"{self._count}.pem"
        request = self.folder / f"{self._count}.csr"
        extensions = self.folder / f"{self._count}.ext"
        self._new_key(key)
        names = names or ("localhost", "127.0.0.1")
        alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
        extensions.write_text(
            f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
            f"extendedKeyUsage={usage}\n"
        )
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={names[0]}")
        openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
            "-days", days, "-extfile", extensions, "-out", certificate,
        )  # fmt: skip
        return {"certificate": str(certificate), "key": str(key)}

    def tls(self, *names, **more):
        """A listener's `tls`, with one certificate."""
        return {"certificates": [self.issue(*names)], **more}

    def listener(self, *names, **more):
        return {"address": "127.0.0.1:0", "tls": self.tls(*names, **more)}
