"""What a model costs by litellm's own list, so that a run can be priced before anything is sent."""

from __future__ import annotations

from msgspec import Struct

from valueaudit.provider.endpoint import load_litellm


class Price(Struct, frozen=True):
    """US dollars for one token sent and one received."""

    prompt: float
    completion: float

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """US dollars for so many tokens, without the discount that some providers give on a repeated beginning."""
        return prompt_tokens * self.prompt + completion_tokens * self.completion


def find_price(model: str) -> Price | None:
    """The price in the list that comes with litellm, None where it has none. Asks nobody."""
    litellm = load_litellm()
    try:
        key = litellm.get_model_info(model)["key"]
    except Exception:
        # litellm raises a bare Exception for models that its price list does not have.
        return None
    # What get_model_info itself says of a price that the list lacks is 0, and unknown is not free.
    listed = litellm.model_cost.get(key, {})
    prompt, completion = listed.get("input_cost_per_token"), listed.get("output_cost_per_token")
    if not isinstance(prompt, int | float) or not isinstance(completion, int | float):
        return None
    return Price(float(prompt), float(completion))
