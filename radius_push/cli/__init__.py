"""The verbs of radius-push. Each parses its words, calls one function and prints what it says.

Exit codes: 0 good, 1 "no" (rejected, check failed), 2 could not run (also: left by Ctrl-C).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from radius_push import __version__

VERBS = {
    "setup": "radius_push.cli.setup:setup",
    "serve": "radius_push.cli.serve:serve",
    "check": "radius_push.cli.check:check",
    "doctor": "radius_push.cli.doctor:doctor",
    "reload": "radius_push.cli.reload:reload_settings",
    "explain": "radius_push.cli.explain:explain",
    "enroll": "radius_push.cli.enroll:enroll",
    "devices": "radius_push.cli.devices:devices",
    "clients": "radius_push.cli.clients:clients",
    "push-test": "radius_push.cli.push_test:push_test",
    "users": "radius_push.cli.users:users",
    "logins": "radius_push.cli.logins:logins",
    "sessions": "radius_push.cli.sessions:sessions",
    "trace": "radius_push.cli.trace:trace",
    "backup": "radius_push.cli.backup:backup",
    "restore": "radius_push.cli.backup:restore",
    "try-login": "radius_push.cli.try_login:try_login",
    "simulate": "radius_push.cli.simulate:simulate",
    "demo": "radius_push.cli.demo:demo",
    "test-phone": "radius_push.cli.test_phone:test_phone",
    "hash-password": "radius_push.cli.hash_password:hash_password",
}


class Verbs(click.Group):
    """Imports a verb when it is called, so that a quick one does not load the libraries of all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101  # a typo in VERBS, not a user's mistake
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Whoever leaves by Ctrl-C, or ends the input where something is asked, has not run the verb."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, click.Abort):
            click.echo("\nLeft.", err=True)
            sys.exit(2)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="radius-push")
def main() -> None:
    """A push approval behind every VPN login, on your own machine."""
