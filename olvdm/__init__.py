"""Object-centric latent video diffusion."""
