"""What is proved without argon2: by a local user's NT hash or clear password, in microseconds."""

from __future__ import annotations

from radius_push.model import Chap, MsChapV2, Proof, ProofName, Proved, Reason, Right, Secret, Wrong
from radius_push.proofs import chap, mschapv2
from radius_push.shapes import LocalUser


def prove(user: LocalUser, proof: Proof) -> Proved:
    """Every comparison takes the same time wherever the two differ. What the user has not got the secret for
    is wrong for another reason than a wrong password is, and proves nothing."""
    match proof:
        case Secret():
            return _password(user, proof)
        case Chap():
            if user.clear_password is None:
                return _lacks(user, "chap")
            right = chap.is_right(proof, user.clear_password)
            return Right("the CHAP response is right", nt_hash_of(user)) if right else Wrong()
        case MsChapV2():
            nt_hash = nt_hash_of(user)
            if nt_hash is None:
                return _lacks(user, "ms-chapv2")
            right = mschapv2.is_right(proof, nt_hash)
            return Right("the MS-CHAPv2 response is right", nt_hash) if right else Wrong()


def nt_hash_of(user: LocalUser) -> Secret | None:
    """Written down, or made of the clear password."""
    if user.nt_hash is not None or user.clear_password is None:
        return user.nt_hash
    return mschapv2.nt_hash(user.clear_password)


def _password(user: LocalUser, password: Secret) -> Proved:
    if user.clear_password is not None:
        return Right() if user.clear_password == password else Wrong()
    nt_hash = mschapv2.nt_hash(password)
    if user.nt_hash is not None and nt_hash is not None and user.nt_hash == nt_hash:
        return Right(nt_hash=nt_hash)
    return Wrong()


def _lacks(user: LocalUser, proof: ProofName) -> Wrong:
    return Wrong(Reason.PROOF_NOT_ACCEPTED, f"{user.name} has no {user.lacks(proof)}, which {proof} needs")
