"""A nonce is ours, a minute old at most, and good for once."""

from __future__ import annotations

import secrets

from radius_push.web.nonces import LIFETIME, PER_SIGNER, Nonces


def test_a_nonce_is_good_once() -> None:
    nonces = Nonces(secrets.token_bytes)
    nonce = nonces.make(100.0)
    assert nonces.is_ours(nonce, 100.5)
    assert nonces.spend(nonce, signer="d1", now=100.5)
    assert not nonces.spend(nonce, signer="d1", now=101.0)


def test_a_nonce_of_more_than_a_minute_is_old() -> None:
    nonces = Nonces(secrets.token_bytes)
    nonce = nonces.make(100.0)
    assert nonces.is_ours(nonce, 100.0 + LIFETIME - 0.01)
    assert not nonces.is_ours(nonce, 100.0 + LIFETIME)


def test_another_process_or_another_letter_is_not_ours() -> None:
    nonces = Nonces(secrets.token_bytes)
    nonce = nonces.make(100.0)
    assert not Nonces(secrets.token_bytes).is_ours(nonce, 100.0)
    changed = ("A" if nonce[0] != "A" else "B") + nonce[1:]
    for wrong in ("", "x", changed, nonce[:-1], nonce + "A", nonce.swapcase(), "ä" * 64):
        assert not nonces.is_ours(wrong, 100.0)


def test_asking_for_nonces_fills_nothing_and_one_signer_fills_only_its_own_share() -> None:
    nonces = Nonces(secrets.token_bytes)
    for _ in range(1000):
        nonces.make(100.0)
    for _ in range(PER_SIGNER):
        assert nonces.spend(nonces.make(100.0), signer="loud", now=100.0)
    assert not nonces.spend(nonces.make(100.0), signer="loud", now=100.0)
    assert nonces.spend(nonces.make(100.0), signer="quiet", now=100.0)
    assert nonces.spend(nonces.make(161.0), signer="loud", now=161.0)
