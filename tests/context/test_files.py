"""Reading a file as an editor would, and refusing the ones nobody may read."""

from __future__ import annotations

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.context.errors import (
    BinaryFileError,
    FileError,
    FileTooLargeError,
    SensitiveFileError,
    UnreadableFileError,
)
from truepenny.context.files import is_sensitive, read_file


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        ("naïve\r\nline\n".encode(), "naïve\r\nline\n", "utf-8"),
        (codecs.BOM_UTF8 + b"x = 1\n", "x = 1\n", "utf-8-sig"),
        (codecs.BOM_UTF16_LE + "x é\n".encode("utf-16-le"), "x é\n", "utf-16-le"),
        (codecs.BOM_UTF16_BE + "x é\n".encode("utf-16-be"), "x é\n", "utf-16-be"),
        (codecs.BOM_UTF32_LE + "x 😀\n".encode("utf-32-le"), "x 😀\n", "utf-32-le"),
        (codecs.BOM_UTF32_BE + "x 😀\n".encode("utf-32-be"), "x 😀\n", "utf-32-be"),
        ("# café\nx = 'ü'\n".encode("latin-1"), "# café\nx = 'ü'\n", "latin-1"),
        (b"a\rb\rc\x0c\x1b[0m", "a\rb\rc\x0c\x1b[0m", "utf-8"),
    ],
)
def test_text_comes_back_with_its_encoding(tmp_path, data: bytes, text: str, encoding: str):
    """Line ends and marks are kept apart from the text, so that an edit can be written back."""
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    source = read_file(path)
    assert (source.text, source.encoding, source.size_bytes) == (text, encoding, len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        bytes(range(1, 256)) * 4,
        codecs.BOM_UTF16_LE + b"\x00\xd8x",
        b"text\x00",
    ],
)
def test_binary_files_are_told_apart(tmp_path, data: bytes):
    """A picture in the prompt helps nobody."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(BinaryFileError, match="file"):
        read_file(path)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    """The message has both numbers."""
    path = tmp_path / "big.sql"
    path.write_bytes(b"x" * 1_001)
    with pytest.raises(FileTooLargeError, match=r"1,001 bytes and the limit is 1,000"):
        read_file(path, max_bytes=1_000)
    assert read_file(path, max_bytes=1_001).size_bytes == 1_001


def test_what_is_no_file_is_named(tmp_path):
    """Folders, pipes (which would block for ever), absent names and impossible ones."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "absent", tmp_path / "a\0b"):
        with pytest.raises(UnreadableFileError, match=r"check|name a file"):
            read_file(path)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_text_or_a_named_error(tmp_path_factory, data: bytes):
    """Nothing else comes out of a file."""
    path = tmp_path_factory.mktemp("any") / "file.txt"
    path.write_bytes(data)
    try:
        source = read_file(path)
    except FileError as error:
        said = str(error)
    else:
        said = f"{path} {source.encoding}"
        assert data.endswith(source.text.encode(source.encoding.removesuffix("-sig")))
    assert str(path) in said


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        "app/.env.local",
        "prod.env",
        ".envrc",
        "C:\\repo\\.ENV",
        "file:///home/me/.npmrc",
        ".pypirc",
        "~/.netrc",
        "id_rsa",
        "id_ed25519_work",
        "deploy_rsa",
        "certs/server.pem",
        "server.key",
        "a.p12",
        "vault.kdbx",
        "release.jks",
        "kubeconfig",
        "prod.kubeconfig",
        "/home/me/.kube/config",
        "/home/me/.aws/credentials",
        "/home/me/.aws/sso/cache/token.json",
        "/home/me/.ssh/work",
        "/home/me/.gnupg/secring.gpg",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "prod.tfvars",
        "credentials",
        "credentials.json",
        "client_secret.apps.json",
        "secrets.yaml",
        "service-account-prod.json",
        ".git-credentials",
        ".docker/config.json",
        ".config/gcloud/credentials.db",
        "config/master.key",
        ".bash_history",
    ],
)
def test_sensitive_names_are_known(path: str):
    """Never read, never indexed, never completed."""
    assert is_sensitive(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        ".env.example",
        ".env.sample",
        ".env.template",
        ".env.local.example",
        "prod.tfvars.example",
        "id_rsa.pub",
        "/home/me/.ssh/config",
        "/home/me/.ssh/known_hosts",
        "credentials.py",
        "secrets.go",
        "src/secrets/mod.rs",
        "environment.ts",
        "env.py",
        "config.json",
        "src/config",
        "keys.py",
        "keyboard.c",
        "gcloud/main.py",
        "token.rs",
        "settings.xml",
        "docs/kubeconfig.md",
        "package.json",
    ],
)
def test_ordinary_names_are_left_alone(path: str):
    """Program text about secrets is program text."""
    assert not is_sensitive(path)


def test_a_link_does_not_open_a_sensitive_file(tmp_path):
    """The name that counts is also the one it leads to."""
    (tmp_path / ".env").write_text("A=1")
    (tmp_path / "notes.txt").symlink_to(tmp_path / ".env")
    for name in (".env", "notes.txt"):
        with pytest.raises(SensitiveFileError, match="never read"):
            read_file(tmp_path / name)
