"""The one door to the `openssl` command line: RSA keys that sign credits blindly.

The raw RSA operation must take the same time whatever the key and the number are. Python's own
`pow` does not, and the library that we use elsewhere offers only padded operations. OpenSSL's
command line has the raw one, with its own blinding against timing.

Keys are PKCS#8 PEM files, readable by their owner alone; they never pass through an argument,
an environment or our output.

Spec: RFC 9474 §4.3; RFC 8017 §5.2.1.
"""

import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from safeconduct.errors import MalformedError, RefusedError, UnavailableError, UnverifiedError
from safeconduct.plumbing import durable
from safeconduct.protocol import blind
from safeconduct.protocol.canonical import format_base64

PEM_BYTES_MAX = 16 << 10

_MAKE_SECONDS_MAX = 300  # two primes of 2,048 bits are mostly found within five
_USE_SECONDS_MAX = 30
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_INSTALL = "install OpenSSL 3 (on Debian: apt install openssl)"
# Nothing of ours reaches the tool: neither settings that could redirect it, nor secrets.
_ENVIRONMENT = {"LC_ALL": "C"}
_NO_PASSPHRASE = ("-passin", "pass:")  # else it would ask for one at the terminal


def new_rsa_key(path: Path) -> None:
    """Make a fresh RSA key of 4,096 bits in the file `path`, mode 0600, durably and whole.

    Raises:
        RefusedError: something is there already; a key is never overwritten.
        UnavailableError: `openssl` is missing or failed, or the disk refused.
    """
    durable.make_folder(path.parent)
    # It takes seconds: a second one, begun meanwhile, must not replace what was made.
    with durable.one_by_one(path.parent):
        if path.exists() or path.is_symlink():
            raise RefusedError(f"{path}: already exists", hint="choose another file name")
        durable.write_secret(path, _new_pem())


def _new_pem() -> bytes:
    options = (f"rsa_keygen_bits:{blind.MODULUS_BITS}", f"rsa_keygen_pubexp:{blind.EXPONENT}")
    words = [word for option in options for word in ("-pkeyopt", option)]
    pem = _run(["genpkey", "-algorithm", "RSA", *words], b"", _MAKE_SECONDS_MAX)
    if pem is None or not pem.startswith(b"-----BEGIN PRIVATE KEY-----\n"):
        raise UnavailableError("openssl made no key", hint=_INSTALL)
    return pem


def public_der(path: Path) -> bytes:
    """The public half of the key at `path`: DER of its SubjectPublicKeyInfo.

    Raises:
        MalformedError: no key, or not RSA of 4,096 bits with exponent 65,537.
        RefusedError: other users of this machine may read it.
        UnavailableError: it is not there, or `openssl` is missing.
    """
    return _public_key(path).der


def raw_private(path: Path, block: bytes) -> bytes:
    """`block`^d modulo n by the key at `path`: 512 bytes for 512 bytes.

    The result is raised to the public exponent again before anybody sees it: one faulted result
    beside its input can give away the key.

    Raises:
        MalformedError: `block` is not 512 bytes or no number that the key works on; or as
            `public_der`.
        UnverifiedError: the machine made a mistake; nothing is returned.
        RefusedError, UnavailableError: as `public_der`.
    """
    key = _public_key(path)
    blind.check_blinded(key, block)
    words = ["pkeyutl", "-decrypt", "-inkey", str(path.absolute()), *_NO_PASSPHRASE]
    result = _run([*words, "-pkeyopt", "rsa_padding_mode:none"], block, _USE_SECONDS_MAX)
    if result is None:
        raise UnavailableError(f"{path}: openssl could not use this key", hint=_INSTALL)
    try:
        blind.verify_blind_signature(key, block, result)
    except MalformedError as error:
        raise UnverifiedError(f"{path}: openssl's result is no number of this key") from error
    return result


def _public_key(path: Path) -> blind.PublicKey:
    durable.read_file(path, bytes_max=PEM_BYTES_MAX)  # a regular file, no link, not too long
    if path.stat().st_mode & _OTHERS:
        raise RefusedError(f"{path}: other users can read this key", hint=f"chmod 600 {path}")
    words = ["pkey", "-in", str(path.absolute()), *_NO_PASSPHRASE]
    der = _run([*words, "-pubout", "-outform", "DER"], b"", _USE_SECONDS_MAX)
    if der is None:
        raise MalformedError(f"{path}: not a private key without passphrase")
    return blind.parse_public_key(format_base64(der))


def _run(words: Sequence[str], data: bytes, seconds: int) -> bytes | None:
    """What `openssl` prints when it gets `data` as its input; None if it fails."""
    tool = shutil.which("openssl")
    if tool is None:
        raise UnavailableError("the openssl command is not there", hint=_INSTALL)
    try:
        done = subprocess.run(
            [tool, *words],
            input=data,
            capture_output=True,
            timeout=seconds,
            env=_ENVIRONMENT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("openssl did not run, or took too long") from error
    # What it says on failure is not passed on: it is not ours to know what stands in there.
    return done.stdout if done.returncode == 0 else None
