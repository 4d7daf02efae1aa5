"""Files that belong to one user alone, and a plain sentence with the mend when they do not."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from radius_push.ports import StoreDown

_MOST_LINKS = 40
"""As many as the kernel follows."""


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """What root does in the server's folder (`sudo radius-push enroll`) is done as the server's user.

    That user may put a link in place of anything there at any moment; so root must not do there what that
    user could not do alone, and what is made is theirs without being given away. `folder` need not be there
    yet. For anybody but root nothing changes. It is the whole process that acts so: await nothing within.

    Raises StoreDown if the folders on the way leave it open whose it is.
    """
    owner = _owner_of(folder) if os.geteuid() == 0 else None
    if owner is None or owner.st_uid == 0:
        yield
        return
    with ExitStack() as back:
        group, groups = os.getegid(), os.getgroups()
        try:
            os.setgroups([owner.st_gid])
            back.callback(os.setgroups, groups)
            os.setegid(owner.st_gid)
            back.callback(os.setegid, group)
            os.seteuid(owner.st_uid)
            back.callback(os.seteuid, 0)
        except OSError as error:
            raise StoreDown(
                f"the folder {folder} is user id {owner.st_uid}'s, and this may not act as them "
                f"({error.strerror}): run it as that user"
            ) from error
        yield


def runs_for(folder: Path) -> int | None:
    """The user id whose files root makes there; None: its own, or this is not root. Raises StoreDown."""
    owner = _owner_of(folder) if os.geteuid() == 0 else None
    return None if owner is None else owner.st_uid


def _owner_of(folder: Path) -> os.stat_result | None:
    """The first on the way from / to `folder` who is not root: all that is below can be theirs. None: root's.

    Nobody else can change what stands before that first one, so this answer is not overtaken by a race.
    """
    owner: os.stat_result | None = None
    try:
        for path, status in _on_the_way(folder):
            _check_step(path, status, above=path.parent.lstat(), owner=owner)
            if owner is None and status.st_uid != 0:
                owner = status
    except OSError as error:
        raise StoreDown(f"the folder {folder} cannot be read: {error.strerror}") from error
    return owner


def _check_step(
    path: Path, status: os.stat_result, *, above: os.stat_result, owner: os.stat_result | None
) -> None:
    if owner is not None and status.st_uid != owner.st_uid:
        raise StoreDown(
            f"{path} is user id {status.st_uid}'s and lies where user id {owner.st_uid} may put anything "
            "in its place: `chown` it to them, or move the store"
        )
    if owner is None and status.st_uid != 0 and above.st_mode & 0o002:
        raise StoreDown(
            f"{path} is user id {status.st_uid}'s and lies where anybody may put things: move the store to a "
            "folder of its own, or run this as that user"
        )
    open_to_all = stat.S_ISDIR(status.st_mode) and status.st_mode & 0o002
    if owner is None and open_to_all and not status.st_mode & stat.S_ISVTX:
        raise StoreDown(f"others may write in the folder {path}: run `chmod o-w {path}`")


def _on_the_way(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Each folder and link from / to `folder`, and what links lead to; ends where nothing is there yet."""
    ahead = list(reversed(folder.absolute().parts))
    at = Path(ahead.pop())
    yield at, at.lstat()
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            at = at.parent
            continue
        here = at / part
        try:
            status = here.lstat()
        except FileNotFoundError:
            return
        yield here, status
        if not stat.S_ISLNK(status.st_mode):
            at = here
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = here.readlink()
        if target.is_absolute():
            at = Path(target.root)
        ahead.extend(part for part in reversed(target.parts) if part != target.root)


def make_folder(folder: Path) -> None:
    """Create `folder` for its owner only (0700), or check that nobody else may write in one that is there.

    Call it `as_owner_of(folder)`. Raises StoreDown.
    """
    try:
        # `parents=True` would give the folders above it the umask's mode.
        missing = [above for above in (folder, *folder.parents) if not above.exists()]
        for above in reversed(missing):
            above.mkdir(mode=0o700, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        where = ""
        if error.errno == errno.EACCES:  # also for root, who acts as another user here
            where = f" for user id {os.geteuid()}, which must be able to enter every folder above it"
        raise StoreDown(f"the folder {folder} cannot be made: {error.strerror}{where}") from error
    if status.st_uid not in (0, os.geteuid()):
        raise StoreDown(
            f"the folder {folder} belongs to user id {status.st_uid}, and this runs as user id "
            f"{os.geteuid()}: run it as that user, or `chown` the folder"
        )
    # Sticky is no excuse: whoever may write here may lay a write-ahead log beside our store.
    if status.st_mode & stat.S_ISVTX and status.st_mode & 0o022:
        raise StoreDown(f"others may write in the folder {folder}: put the store in a folder of its own")
    if status.st_mode & 0o022:
        raise StoreDown(f"others may write in the folder {folder}: run `chmod go-w {folder}`")


def check_owner(path: Path, *, what: str) -> None:
    """`path` must belong to whoever runs this, closed to others; root is no exception, or it would serve
    what anybody laid there. Call it `as_owner_of` its folder. Raises StoreDown."""
    try:
        status = path.lstat()
    except OSError as error:
        raise StoreDown(f"{what} {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise StoreDown(f"{what} {path} is not a file")
    if os.geteuid() != status.st_uid:
        raise StoreDown(
            f"{what} {path} belongs to user id {status.st_uid}, and this runs as user id {os.geteuid()}: "
            f"run it as that user, or `chown` the file"
        )
    if status.st_mode & 0o077:
        raise StoreDown(f"{what} {path} is open to other users: run `chmod 600 {path}`")
    # `effective_ids`: root may be acting as the folder's owner.
    if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        raise StoreDown(f"{what} {path} cannot be written by user id {os.geteuid()}")
