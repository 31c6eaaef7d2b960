"""The judge and the taxonomy that a policy asks for: no other figures may pass for theirs."""

from __future__ import annotations

from valueaudit.errors import UsageError
from valueaudit.policy.document import names_taxonomy
from valueaudit.policy.parse import Policy
from valueaudit.record import ClassifierInfo, TaxonomyInfo


def refuse_taxonomy(policy: Policy, taxonomy: TaxonomyInfo) -> None:
    """Raises `UsageError` where the policy names a taxonomy and labels were placed by another one."""
    wanted = policy.document.taxonomy
    if wanted and not names_taxonomy(wanted, taxonomy.id, taxonomy.sha256):
        raise UsageError(
            f'the policy "{policy.path}" is about the taxonomy "{wanted}", these records were placed by '
            f'"{taxonomy.id}", sha256:{taxonomy.sha256}',
            help="scan again with this program, or take the key out of the policy",
        )


def refuse_judge(policy: Policy, judge: ClassifierInfo) -> None:
    """Raises `UsageError` where the policy does not take this judge: before a run, and before it is decided again."""
    if policy.gate.judge == "llm" and judge.assessed == "screening":
        raise UsageError(
            f'the policy "{policy.path}" asks for a language model ("judge: llm"), "{judge.model}" is a screening',
            help="name a model with --model, or take the key out of the policy",
        )
    calibration = policy.calibration
    if calibration is None:
        return
    for name, wanted, found in (
        ("model", calibration.model, judge.model),
        ("prompt", calibration.prompt_sha256, judge.prompt_sha256),
    ):
        if wanted != found:
            differs = f'its {name} is "{wanted}", this one is "{found}"'
            raise UsageError(
                f'the calibration in "{policy.path}" is of another judge: {differs}',
                help="calibrate this judge, use the one that was calibrated, or take the calibration out of the policy",
            )
