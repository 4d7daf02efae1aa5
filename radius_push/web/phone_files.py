"""The phone app's own files: read once at start, so that what was checked is what is served."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "phone_app"
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types radius-push"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "radius-push",
}
"""On every response of the phone side."""


@dataclass(frozen=True, slots=True)
class File:
    type: str
    body: bytes = field(repr=False)
    tag: str
    """ETag."""


def read_files(folder: Path = FOLDER) -> dict[str, File]:
    """Path of the URL -> file. The service worker carries the hash of all, so that a phone sees a change."""
    octets = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in TYPES
    }
    everything = hashlib.sha256()
    for name, body in octets.items():
        everything.update(f"{name}\0{len(body)}\0".encode() + body)
    version = everything.hexdigest()[:16].encode()
    octets["sw.js"] = octets["sw.js"].replace(b"@VERSION@", version)
    files = {f"/{name}": file_of(name, body) for name, body in octets.items()}
    files["/"] = files["/index.html"]
    return files


def serve_file(request: web.Request, files: dict[str, File]) -> web.Response:
    """`no-cache`: the browser may keep it, and asks each time whether it still holds."""
    found = files.get(request.path)
    if found is None:
        raise web.HTTPNotFound
    headers = {"Cache-Control": "no-cache", "ETag": found.tag}
    if request.headers.get("If-None-Match") == found.tag:
        return web.Response(status=304, headers=headers)
    charset = "utf-8" if found.type.startswith(("text/", "application/", "image/svg")) else None
    return web.Response(body=found.body, content_type=found.type, charset=charset, headers=headers)


def file_of(name: str, body: bytes) -> File:
    """`name` says by its end what it is."""
    return File(TYPES[Path(name).suffix], body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
