"""`radius-push hash-password`: the hash of a local user's password, for the settings file."""

from __future__ import annotations

import sys

import click

from radius_push.cli.options import could_not_run

MOST = 128
"""Octets: RADIUS carries no longer password (RFC 2865 5.2)."""


@click.command("hash-password")
@click.option("--nt", is_flag=True, help="The NT hash, for nt_hash. Whoever reads it can log in with it.")
def hash_password(*, nt: bool) -> None:
    """Print the argon2id hash of a password: typed twice, or one line on standard input."""
    password = typed() if sys.stdin.isatty() else sys.stdin.buffer.readline(MOST + 3).rstrip(b"\r\n")
    if not password or b"\0" in password or len(password) > MOST:
        could_not_run(f"a password has 1 to {MOST} octets and no NUL")
    try:
        password.decode()
    except UnicodeDecodeError:
        could_not_run("the password is not UTF-8")
    click.echo(nt_hash(password) if nt else argon2id(password))


def argon2id(password: bytes) -> str:
    from radius_push.directory.local import hash_password as made

    return made(password)


def nt_hash(password: bytes) -> str:
    from radius_push.model import Secret
    from radius_push.proofs import mschapv2

    made = mschapv2.nt_hash(Secret(password))
    if made is None:
        could_not_run("such a password has no NT hash")
    return made.reveal().hex()


def typed() -> bytes:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True)).encode()
