"""Files of a workspace as a person's editor would show them, and the files nobody may read.

`read_file` gives text with its own line endings, or an error that says why not: `errors.FileError`.
Files that hold keys or credentials are refused by name, before a byte of them is read; where a name
is a link, the name it leads to counts too.
"""

from __future__ import annotations

import codecs
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import BinaryFileError, FileTooLargeError, SensitiveFileError, UnreadableFileError

MAX_FILE_BYTES = 5_000_000

# Longest first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Control characters that text files do contain: \b \t \n \v \f \r and escape.
_NOT_TEXT = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_NOT_TEXT_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The text of a file.  `text.encode(encoding)`, after the mark if any, gives the file back."""

    path: Path
    text: str
    encoding: str
    """`utf-8`, `utf-8-sig`, `utf-16-le`, `utf-16-be`, `utf-32-le`, `utf-32-be` or `latin-1`."""
    size_bytes: int


def read_file(path: str | Path, *, max_bytes: int = MAX_FILE_BYTES) -> SourceFile:
    """The text at `path`; raises a `FileError` that names the file and the reason."""
    path = Path(path)
    refuse_sensitive(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFileError(f"{path} is not a regular file: name a file")
        if status.st_size > max_bytes:
            raise _too_large(path, status.st_size, max_bytes)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UnreadableFileError(
            f"{path} cannot be read ({reason}): check that it exists and is yours"
        ) from error
    if len(data) > max_bytes:  # it grew while we looked
        raise _too_large(path, len(data), max_bytes)
    text, encoding = decoded(path, data)
    return SourceFile(path=path, text=text, encoding=encoding, size_bytes=len(data))


def _too_large(path: Path, size_bytes: int, max_bytes: int) -> FileTooLargeError:
    return FileTooLargeError(
        f"{path} has {size_bytes:,} bytes and the limit is {max_bytes:,}: leave it out, or raise the limit"
    )


def decoded(path: str | Path, data: bytes) -> tuple[str, str]:
    """The text of `data` and its encoding; `path` is for the message of a `BinaryFileError`."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding.removesuffix("-sig")), encoding
            except UnicodeDecodeError as error:
                raise BinaryFileError(
                    f"{path} begins with the mark of {encoding} but does not decode as it "
                    f"(byte {error.start}): save it as UTF-8"
                ) from error
    if b"\0" in data:
        raise BinaryFileError(f"{path} holds a NUL byte and is taken for binary: only text can be read")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        if len(_NOT_TEXT.findall(data)) > _MAX_NOT_TEXT_SHARE * len(data):
            raise BinaryFileError(
                f"{path} is neither UTF-8 nor text in a single-byte encoding: only text can be read"
            ) from None
        return data.decode("latin-1"), "latin-1"


def refuse_sensitive(path: str | Path) -> None:
    """Raises `SensitiveFileError` when the name, or what it links to, is that of a sensitive file."""
    path = Path(path)
    for name in (path, path.resolve()) if path.is_symlink() else (path,):
        if is_sensitive(name):
            raise SensitiveFileError(
                f"{path} holds keys or credentials by its name and is never read: rename it if that is wrong"
            )


_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\\[nr]|[\s\"'+,:A-Za-z0-9-]){1,200}?[A-Za-z0-9+/=]{40}"
)
"""With the beginning of the key; in program text, perhaps over several strings.  The words alone are
everywhere."""


def holds_private_key(text: str) -> bool:
    """Whether the text of a file, whatever its name, has a private key in it."""
    return "PRIVATE KEY" in text and _PRIVATE_KEY.search(text) is not None


_TEMPLATE = re.compile(r"\.(example|sample|template|tmpl|dist|defaults?|schema)(\.|$)")

_NAMES = re.compile(
    r"""
      \.env | \.env[._-].+ | .+\.env | \.envrc | \.flaskenv
    | \.npmrc | \.yarnrc(\.yml)? | \.pypirc | \.gem/credentials | \.netrc | _netrc | \.authinfo(\.gpg)?
    | \.pgpass | pgpass\.conf | \.my\.cnf | \.mylogin\.cnf | \.htpasswd | \.git-credentials | \.dockercfg
    | \.vault-token | \.vault_pass(\.txt)? | \.s3cfg | \.boto | \.passwd-s3fs | \.remote-sync\.json
    | id_(rsa|dsa|ecdsa|ed25519)(_sk)?([._-].+)? | .+_(rsa|dsa|ecdsa|ed25519)
    | .+\.(pem|key|p8|p12|pfx|pkcs12|jks|keystore|bks|kdb|kdbx|ppk|agekey|ovpn|rdp|mobileprovision|keytab)
    | .+\.(tfstate|tfvars)(\.json)?(\.backup)? | \.terraformrc | terraform\.rc | credentials\.tfrc\.json
    | kubeconfig([_-][\w-]+)?(\.(ya?ml|json|conf))? | .+\.kubeconfig
    | credentials?(\.(json|ya?ml|toml|ini|cfg|csv|xml|txt|enc|db))? | \.credentials(\.json)?
    | (client_)?secrets?(\.[\w-]+)?\.(json|ya?ml|toml|ini|env|txt|enc) | master\.key
    | application_default_credentials\.json | service[_-]?account([_-].*)?\.json
    | (.*[_-])?(firebase-adminsdk|gcp-key|gcloud-key)([_-].*)?\.json
    | wallet\.dat | accesstokens\.json | azureprofile\.json | msal_token_cache\.(json|bin)
    | \.(bash|zsh|python|psql|mysql|node_repl)_history | hosts\.ya?ml\.token
    """,
    re.VERBOSE,
)
# The last parts of a path, whole names.
_PLACES = (
    ".aws/credentials",
    ".aws/config",
    ".kube/config",
    ".docker/config.json",
    ".config/gh/hosts.yml",
    ".cargo/credentials.toml",
    ".cargo/credentials",
    ".m2/settings.xml",
    ".gradle/gradle.properties",
    ".config/git/credentials",
    ".config/pypoetry/auth.toml",
)
_DIRECTORIES = frozenset({".ssh", ".gnupg", ".password-store", ".aws", ".azure", "gcloud"})
_PUBLIC = re.compile(r"(.*\.pub|known_hosts(\.old)?|authorized_keys|config)$")
# `gcloud` alone is an ordinary folder name; only below a configuration folder is it the tool's own.
_GCLOUD_PARENTS = frozenset({".config", "appdata", "roaming"})


def is_sensitive(path: str | Path) -> bool:
    """Whether a file is one of keys or credentials, by its path or URI alone.

    `.env.example` and its like are made to be shared and are not; public keys are not; program text
    (`credentials.py`, `secrets.go`) is not.
    """
    parts = PurePosixPath(str(path).replace("\\", "/").lower()).parts
    if not parts:
        return False
    name = parts[-1]
    if name.endswith(".pub") or _TEMPLATE.search(name):
        return False
    whole = "/".join(parts)
    return (
        _NAMES.fullmatch(name) is not None
        or any(whole == place or whole.endswith("/" + place) for place in _PLACES)
        or _in_key_directory(parts)
    )


def _in_key_directory(parts: tuple[str, ...]) -> bool:
    for above, part in zip(("", *parts), parts[:-1], strict=False):
        if part in _DIRECTORIES and (part != "gcloud" or above in _GCLOUD_PARENTS):
            return not (part == ".ssh" and _PUBLIC.match(parts[-1]))
    return False
