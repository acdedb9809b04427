"""Image guards: engines that judge pictures, all with the interface `models.safety.guard.ImageGuard`.

Classifiers in transformers' folder format run on onnxruntime or PyTorch, NudeNet on onnxruntime; the orchestrating LLM
judges pictures if it takes them.
"""

CAPABILITY = "image_guard"
VLM = "vlm"
"""Name of the engine that asks the orchestrating LLM."""
