"""One conversation with a mail server (RFC 5321, 4954, 3207): checked TLS first, and bounded in every way.

What it guards against in Python's smtplib: a reply may have any number of lines; time-outs are for each
`recv`, so that a server that says one octet a second is never late; EHLO asks the DNS for our own name.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP

from radius_push.shapes import MailServer

MOST_LINES = 100
"""Of one reply."""
LONGEST_LINE = 2048
"""Octets; RFC 5321, 4.5.3.1.5 allows 512."""
RECEIVE_SECONDS = 10.0
_HERE = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class MailRefused(Exception):
    """What a mail server said or did instead of taking a mail. The text holds no secret."""

    def __init__(self, words: str, *, for_ever: bool = False) -> None:
        super().__init__(words)
        self.for_ever = for_ever
        """It will not take this mail another time either."""


class Conversation:
    """From `open` to `close`, in one thread; `cut` may be called from another."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp = _BoundedSmtp(local_hostname=_our_name(), timeout=RECEIVE_SECONDS)
        self._cut = False

    def open(self) -> None:
        """Connect, speak TLS as asked, log in. Raises MailRefused, OSError (ssl.SSLError is one)."""
        server = self._server
        context = None if server.security == "none" else _tls(server.ca_file)
        self._smtp.sock = socket.create_connection((server.host, server.port), RECEIVE_SECONDS)
        self._still_wanted()
        if context is not None and server.security == "tls":
            self._secure(context)
        self._expect(220, self._smtp.getreply(), "its greeting")
        self._hello()
        if context is not None and server.security == "starttls":
            if not self._smtp.has_extn("starttls"):
                raise MailRefused("it offers no STARTTLS: take `security: tls`, or another port")
            self._expect(220, self._smtp.docmd("STARTTLS"), "STARTTLS")
            self._secure(context)
            self._hello()
        if server.user is not None and server.password is not None:
            self._log_in(server.user, server.password.reveal().decode("ascii"))

    def _secure(self, context: ssl.SSLContext) -> None:
        """What was said in the clear before counts no more, read or not (RFC 3207, 4.2)."""
        plain = self._smtp.sock
        assert plain is not None  # noqa: S101  # connected before
        # The handshake comes apart, so that `cut` finds the socket meanwhile.
        secured = context.wrap_socket(plain, server_hostname=self._server.host, do_handshake_on_connect=False)
        self._smtp.sock, self._smtp.file = secured, None
        self._still_wanted()
        secured.do_handshake()

    def _hello(self) -> None:
        self._expect(250, self._smtp.ehlo(), "EHLO")

    def _log_in(self, user: str, password: str) -> None:
        try:
            self._smtp.login(user, password)
        except smtplib.SMTPAuthenticationError as refused:
            # Without its words: some servers repeat what they were told.
            raise MailRefused(f"it does not take user and password ({refused.smtp_code})") from None
        except smtplib.SMTPNotSupportedError:
            raise MailRefused("it offers no AUTH here: leave user and password out, or use TLS") from None

    def send(self, message: EmailMessage, *, to: str) -> None:
        """Raises MailRefused: the next one may be sent. OSError, SMTPServerDisconnected: no more."""
        try:
            self._smtp.sendmail(self._server.sender, [to], message.as_bytes(policy=SMTP))
        except smtplib.SMTPRecipientsRefused as refused:
            code, said = refused.recipients[to]
            raise MailRefused(_words(code, said, "the address"), for_ever=500 <= code < 600) from None
        except smtplib.SMTPSenderRefused as refused:
            words = _words(refused.smtp_code, refused.smtp_error, f"mails from {self._server.sender}")
            raise MailRefused(words) from None
        except smtplib.SMTPDataError as refused:
            code = refused.smtp_code
            raise MailRefused(
                _words(code, refused.smtp_error, "the mail"), for_ever=500 <= code < 600
            ) from None

    def close(self) -> None:
        """Say goodbye if there is somebody. Never raises."""
        try:
            if not self._cut and self._smtp.sock is not None:
                self._smtp.quit()
        except (OSError, smtplib.SMTPException, ValueError):
            pass
        finally:
            self._smtp.close()

    def cut(self) -> None:
        """End it now, whatever another thread waits for in it."""
        self._cut = True
        if self._smtp.sock is not None:
            # Of the socket itself: SSLSocket's own would change what the other thread reads from.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._smtp.sock, socket.SHUT_RDWR)

    def _still_wanted(self) -> None:
        if self._cut:
            raise MailRefused("it took too long")

    def _expect(self, code: int, reply: tuple[int, bytes], what: str) -> None:
        if reply[0] != code:
            raise MailRefused(_words(reply[0], reply[1], what))


class _BoundedSmtp(smtplib.SMTP):
    """As smtplib's, with replies of a bounded length."""

    def getreply(self) -> tuple[int, bytes]:
        """RFC 5321, 4.2.1: lines of `250-...`, the last one `250 ...`."""
        if self.file is None:
            assert self.sock is not None  # noqa: S101  # connected before
            self.file = self.sock.makefile("rb")
        said: list[bytes] = []
        for _ in range(MOST_LINES):
            line: bytes = self.file.readline(LONGEST_LINE + 1)
            if not line:
                self.close()
                raise smtplib.SMTPServerDisconnected("it closed the connection")
            if len(line) > LONGEST_LINE or not re.match(rb"[2-5][0-9]{2}[ \r\n-]", line):
                break
            said.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(said)
        self.close()
        raise smtplib.SMTPServerDisconnected("what answers there is no mail server, or a broken one")


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _our_name() -> str:
    """RFC 5321, 4.1.3 wants an address literal from whoever has no name of their own."""
    name = socket.gethostname()
    return name if _HERE.fullmatch(name) else "[127.0.0.1]"


def _words(code: int, said: bytes | str, what: str) -> str:
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else said
    shown = "".join(c if c.isprintable() else " " for c in text[:160]).strip()
    return f"it does not take {what}: {code} {shown}".strip()
