"""Traffic split between variants, and shifted to what users reward."""

from llm_router.experiments.experiments import Experiments, VariantReport
from llm_router.experiments.rewards import Reward, add_reward, reward_of_rating
from llm_router.experiments.tables import RewardRow

__all__ = [
    "Experiments",
    "Reward",
    "RewardRow",
    "VariantReport",
    "add_reward",
    "reward_of_rating",
]
