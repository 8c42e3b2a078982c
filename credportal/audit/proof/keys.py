"""The Ed25519 key that signs the head of the log, as text: PEM as openssl writes it, or base64 of its 32 bytes.

Standard library only: the settings read it at every start, and only the commands sign.
"""

import base64
import binascii
import re

# RFC 8410: what stands before the 32 bytes of a private and of a public Ed25519 key.
PRIVATE_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")
LENGTH = 32
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----\s*([A-Za-z0-9+/=\s]*?)\s*-----END \1-----")


def private_key(text: str) -> bytes:
    """Return the 32 bytes of a private key. Raises ValueError with words that never quote it."""
    return _key(text, "PRIVATE KEY", PRIVATE_PREFIX, "openssl genpkey -algorithm ed25519")


def public_key(text: str) -> bytes:
    """Return the 32 bytes of a public key. Raises ValueError."""
    return _key(text, "PUBLIC KEY", PUBLIC_PREFIX, "openssl pkey -in KEY -pubout")


def _key(text: str, label: str, prefix: bytes, made_by: str) -> bytes:
    pem = _PEM.fullmatch(text.strip())
    if pem and pem[1] != label:
        raise ValueError(f"it holds a thing named {pem[1]}; write the {label} that {made_by} prints")
    try:
        content = base64.b64decode(re.sub(r"\s", "", pem[2] if pem else text), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not pem and len(content) == LENGTH:
        return content
    if pem and content.startswith(prefix) and len(content) == len(prefix) + LENGTH:
        return content[len(prefix) :]
    raise ValueError(f"write an Ed25519 key: the PEM that {made_by} prints, or base64 of its 32 bytes")
