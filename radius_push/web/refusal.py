"""What a phone is told when it is not served: a word for the app, a sentence for the person."""

from __future__ import annotations

from aiohttp import web


class Refusal(Exception):
    """Answered as `{"error": word, "message": sentence}`; neither ever holds what was sent to us."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word
        self.message = message

    def response(self) -> web.Response:
        return web.json_response({"error": self.word, "message": self.message}, status=self.status)
