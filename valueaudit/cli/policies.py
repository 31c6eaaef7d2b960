"""Which policy file a command line means, read and held against the digest that was agreed on."""

from __future__ import annotations

import re
from pathlib import Path

from valueaudit.errors import InputError, UsageError
from valueaudit.policy import Calibration, Policy, attach_calibration, parse_calibration, parse_policy
from valueaudit.taxonomy import Taxonomy

DEFAULT_POLICIES = ("valueaudit.policy.yaml", "valueaudit.policy.yml")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def find_policy_path(named: str | None) -> str | None:
    """The policy file that was named, or the one that lies in this folder, or none. Raises `UsageError` for two."""
    if named is not None:
        return named
    found = [name for name in DEFAULT_POLICIES if Path(name).is_file()]
    if len(found) > 1:
        raise UsageError(f"two policies lie in this folder: {', '.join(found)}", help="name one of them")
    return found[0] if found else None


def require_policy_path(named: str | None) -> str:
    """As `find_policy_path`, for commands that are about a policy. Raises `UsageError` where there is none."""
    path = find_policy_path(named)
    if path is None:
        raise UsageError(
            f'there is no policy: "{DEFAULT_POLICIES[0]}" does not lie in this folder',
            help="name a policy file, or write one with valueaudit policy init",
        )
    return path


def read_policy(path: str, taxonomy: Taxonomy, *, expected: str | None = None) -> Policy:
    """The policy at a path, with its calibration.

    Raises `InputError`, `PolicyError`, and `UsageError` where it is not the one expected.
    """
    policy = parse_policy(read_policy_bytes(path), path, taxonomy)
    if policy.calibration_file is not None:
        policy = attach_calibration(policy, _read_calibration(policy, policy.calibration_file, taxonomy))
    if expected is not None:
        _refuse_other(policy, expected)
    return policy


def _read_calibration(policy: Policy, file: str, taxonomy: Taxonomy) -> Calibration:
    path = Path(policy.path).parent / file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f'the calibration "{path}" cannot be read: {(error.strerror or str(error)).lower()}',
            help=f'check "calibration: file" in "{policy.path}", which is relative to it',
        ) from error
    return parse_calibration(content, str(path), taxonomy)


def read_policy_bytes(path: str) -> bytes:
    """The bytes of a policy file. Raises `InputError`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f'the policy "{path}" cannot be read: {(error.strerror or str(error)).lower()}',
            help="check the path of the policy",
        ) from error


def build_lock(policy: Policy) -> str:
    """The digest of a policy as `policy lock` prints it and `--expect-policy` takes it."""
    return f"sha256:{policy.sha256}"


def refuse_missing(expected: str | None) -> None:
    """Raises `UsageError` where a policy was expected and none is used: nothing would be held against the digest."""
    if expected is not None:
        raise UsageError(
            "--expect-policy is given, and there is no policy",
            help="name the policy with --policy, without --no-policy",
        )


def _refuse_other(policy: Policy, expected: str) -> None:
    wanted = expected.strip().lower()
    if not _DIGEST.fullmatch(wanted):
        raise UsageError(
            f'--expect-policy is "{expected}", which is no digest',
            help="write sha256: and 64 hexadecimal digits, as valueaudit policy lock prints them",
        )
    if build_lock(policy) != wanted:
        raise UsageError(
            f'the policy "{policy.path}" is not the one expected: it is {build_lock(policy)}, expected {wanted}',
            help="if the change was agreed on, put the digest that valueaudit policy lock prints in its place",
        )
