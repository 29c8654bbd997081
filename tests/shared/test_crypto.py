"""Fields encrypted at rest, found by a keyed hash, masked on screens."""

import base64
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shared import crypto
from shared.crypto import CryptoError, FieldCipher, KeyRing

CIPHERS: list[FieldCipher] = ["AES-GCM", "SM4-GCM"]
NUMBER = "33110219900307001X"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A new key ring."""
    path = tmp_path / "keys" / "ring.json"
    crypto.new_key_file(path)
    return path


@pytest.fixture(params=CIPHERS)
def ring(request: pytest.FixtureRequest, key_file: Path) -> KeyRing:
    """A ring of each cipher."""
    return crypto.load(key_file, request.param)


RINGS = [KeyRing("a", {"a": bytes(range(32))}, b"L" * 32, cipher) for cipher in CIPHERS]


@given(st.sampled_from(RINGS), st.binary(max_size=300), st.text(max_size=20))
def test_what_goes_in_comes_out(ring: KeyRing, data: bytes, purpose: str) -> None:
    blob = ring.encrypt(data, purpose=purpose)
    assert ring.decrypt(blob, purpose=purpose) == data
    assert len(data) < 8 or data not in blob


def test_the_same_text_never_looks_the_same(ring: KeyRing) -> None:
    blobs = {ring.encrypt(NUMBER.encode(), purpose="id_number") for _ in range(50)}
    assert len(blobs) == 50


def test_another_purpose_does_not_open_it(ring: KeyRing) -> None:
    blob = ring.encrypt(b"secret", purpose="phone")
    with pytest.raises(CryptoError, match="account"):
        ring.decrypt(blob, purpose="account")


def test_another_key_under_the_same_name_does_not_open_it(ring: KeyRing) -> None:
    blob = ring.encrypt(b"secret", purpose="phone")
    other = KeyRing(ring.active, {ring.active: b"x" * 32}, ring.lookup_key, ring.cipher)
    with pytest.raises(CryptoError):
        other.decrypt(blob, purpose="phone")


def test_every_flipped_bit_is_noticed(ring: KeyRing) -> None:
    blob = ring.encrypt(b"secret", purpose="phone")
    for place in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(CryptoError):
            ring.decrypt(bytes(changed), purpose="phone")


@given(st.sampled_from(RINGS), st.binary(max_size=80))
def test_no_bytes_whatever_cause_more_than_a_crypto_error(ring: KeyRing, blob: bytes) -> None:
    with pytest.raises(CryptoError):
        ring.decrypt(blob, purpose="phone")


def test_errors_do_not_tell_the_secret(ring: KeyRing) -> None:
    blob = ring.encrypt(NUMBER.encode(), purpose="id_number")
    with pytest.raises(CryptoError) as refused:
        ring.decrypt(blob[:-1], purpose="id_number")
    assert NUMBER not in str(refused.value)
    assert base64.b64encode(ring.keys[ring.active]).decode() not in repr(ring)


def test_aes_blobs_are_plain_aes_256_gcm_under_a_derived_key(key_file: Path) -> None:
    """Read back with nothing of ours but the layout, so that data outlives this code."""
    blob = crypto.load(key_file).encrypt(b"secret", purpose="phone")
    assert blob[:4] == b"\x01\x02k1"
    key = crypto._derived(crypto.load(key_file).keys["k1"], 1)
    assert len(key) == 32
    assert AESGCM(key).decrypt(blob[4:16], blob[16:], blob[:4] + b"phone") == b"secret"


def test_both_ciphers_read_each_other_s_blobs(key_file: Path) -> None:
    aes, sm4 = (crypto.load(key_file, cipher) for cipher in CIPHERS)
    assert sm4.decrypt(aes.encrypt(b"a", purpose="p"), purpose="p") == b"a"
    assert aes.decrypt(sm4.encrypt(b"b", purpose="p"), purpose="p") == b"b"


def test_old_keys_read_on_after_a_rotation_and_the_new_one_writes(key_file: Path) -> None:
    before = crypto.load(key_file)
    blob = before.encrypt(b"secret", purpose="phone")
    assert crypto.rotate_key_file(key_file) == "k2"
    after = crypto.load(key_file)
    assert after.decrypt(blob, purpose="phone") == b"secret"
    assert after.encrypt(b"x", purpose="phone")[2:4] == b"k2"
    assert after.lookup_hash("x", purpose="p") == before.lookup_hash("x", purpose="p")
    with pytest.raises(CryptoError, match="k2"):
        before.decrypt(after.encrypt(b"x", purpose="phone"), purpose="phone")


def test_a_running_process_reads_what_a_newer_key_wrote(
    key_file: Path, request: pytest.FixtureRequest
) -> None:
    was = crypto._current
    request.addfinalizer(lambda: setattr(crypto, "_current", was))
    crypto.configure(key_file)
    crypto.rotate_key_file(key_file)
    blob = crypto.load(key_file).encrypt(b"secret", purpose="phone")
    assert crypto.decrypt(blob, purpose="phone") == "secret"


def test_text_through_the_configured_ring(key_file: Path, request: pytest.FixtureRequest) -> None:
    was = crypto._current
    request.addfinalizer(lambda: setattr(crypto, "_current", was))
    crypto.configure(key_file, "SM4-GCM")
    assert crypto.decrypt(crypto.encrypt("张三", purpose="name"), purpose="name") == "张三"
    assert crypto.decrypt_bytes(crypto.encrypt_bytes(b"\0", purpose="x"), purpose="x") == b"\0"
    assert len(crypto.lookup_hash(NUMBER, purpose="id_number")) == 32


def test_look_up_hashes_are_steady_and_apart_by_purpose_key_and_cipher(ring: KeyRing) -> None:
    found = ring.lookup_hash(NUMBER, purpose="id_number")
    assert found == ring.lookup_hash(NUMBER, purpose="id_number")
    assert found != ring.lookup_hash(NUMBER, purpose="phone")
    assert found != ring.lookup_hash(NUMBER[:-1], purpose="id_number")
    other = KeyRing(ring.active, ring.keys, b"o" * 32, ring.cipher)
    assert found != other.lookup_hash(NUMBER, purpose="id_number")
    assert ring.lookup_hash("b", purpose="a") != ring.lookup_hash("", purpose="a\0b")


def test_a_new_key_file_is_its_owner_s_alone_and_never_overwritten(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    before = key_file.read_bytes()
    with pytest.raises(FileExistsError):
        crypto.new_key_file(key_file)
    assert key_file.read_bytes() == before
    crypto.rotate_key_file(key_file)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644, 0o660])
def test_a_key_file_that_others_may_touch_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(CryptoError, match="chmod 600"):
        crypto.load(key_file)


GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"active": "k1"',
        json.dumps({"active": "k2", "keys": {"k1": GOOD}, "lookup_key": GOOD}),
        json.dumps({"active": "k1", "keys": {"k1": GOOD}}),
        json.dumps({"active": "k1", "keys": {"k1": "short"}, "lookup_key": GOOD}),
        json.dumps({"active": "k1", "keys": {"k1": GOOD[:-4]}, "lookup_key": GOOD}),
        json.dumps({"active": "", "keys": {"": GOOD}, "lookup_key": GOOD}),
        json.dumps({"active": "钥", "keys": {"钥": GOOD}, "lookup_key": GOOD}),
        json.dumps({"active": "k1", "keys": [GOOD], "lookup_key": GOOD}),
    ],
)
def test_a_broken_key_file_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ring.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(CryptoError) as refused:
        crypto.load(path)
    assert GOOD not in str(refused.value)


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CryptoError, match="cannot be read"):
        crypto.load(tmp_path / "none.json")


def test_no_key_ring_no_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_current", None)
    with pytest.raises(CryptoError, match="configure"):
        crypto.encrypt("x", purpose="p")


@pytest.mark.parametrize(
    ("mask", "plain", "masked"),
    [
        (crypto.mask_id_number, "331102199003070010", "331102********0010"),
        (crypto.mask_id_number, "33110219900307001X", "331102********001X"),
        (crypto.mask_id_number, "331102900307001", "***************"),
        (crypto.mask_id_number, "", ""),
        (crypto.mask_phone, "13800000000", "138****0000"),
        (crypto.mask_phone, "05782345678", "057****5678"),
        (crypto.mask_phone, "2345678", "****5678"),
        (crypto.mask_phone, "234567", "******"),
        (crypto.mask_account, "6228480402564890018", "****0018"),
        (crypto.mask_account, "12345678", "****5678"),
        (crypto.mask_account, "1234567", "*******"),
        (crypto.mask_name, "张三", "张*"),
        (crypto.mask_name, "欧阳修文", "欧*"),
        (crypto.mask_name, "阿卜杜拉·买买提", "阿*"),
        (crypto.mask_name, "张", "*"),
        (crypto.mask_name, "", ""),
    ],
)
def test_masks(mask: object, plain: str, masked: str) -> None:
    assert callable(mask)
    assert mask(plain) == masked


@given(st.text(st.characters(categories=("Nd", "Lo", "Lu")), min_size=1, max_size=30))
def test_no_mask_shows_the_whole_or_the_birth_date(plain: str) -> None:
    shown = {
        "name": crypto.mask_name(plain),
        "id": crypto.mask_id_number(plain),
        "phone": crypto.mask_phone(plain),
        "account": crypto.mask_account(plain),
    }
    assert plain not in shown.values()
    visible = {name: len(text.replace("*", "")) for name, text in shown.items()}
    assert visible["name"] <= 1
    assert visible["id"] in {0, 10}
    assert visible["phone"] <= 7
    assert visible["account"] <= 4
    assert all(count < len(plain) for count in visible.values())
