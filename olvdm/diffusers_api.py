"""All that we take from diffusers, on one page, imported after torchvision was made importable."""

from olvdm.torchvision_guard import ensure_torchvision

ensure_torchvision()

from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.utils.outputs import BaseOutput
from diffusers.video_processor import VideoProcessor

__all__ = [
    "BaseOutput",
    "ConfigMixin",
    "DDIMScheduler",
    "DPMSolverMultistepScheduler",
    "DiffusionPipeline",
    "FlowMatchEulerDiscreteScheduler",
    "ModelMixin",
    "VideoProcessor",
    "register_to_config",
]
