"""Image guards: engines that judge pictures, all with the interface `models.safety.guard.ImageGuard`.

`nsfw_vit` is a classifier on onnxruntime; the orchestrating LLM judges pictures if it takes them.
"""

CAPABILITY = "image_guard"
VLM = "vlm"
"""Name of the engine that asks the orchestrating LLM."""
