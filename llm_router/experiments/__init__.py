"""Traffic split between variants, and shifted to what users reward."""

from llm_router.experiments.experiments import Experiments, VariantReport
from llm_router.experiments.rewards import Reward, add_reward, reward_of_rating

__all__ = [
    "Experiments",
    "Reward",
    "VariantReport",
    "add_reward",
    "reward_of_rating",
]
