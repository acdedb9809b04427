"""Image guards: engines that judge pictures, all behind one `models.safety.guard.ImageGuard`.

Classifiers in transformers' folder format run on onnxruntime or PyTorch, NudeNet on onnxruntime; the orchestrating LLM
judges where it sees.
"""

CAPABILITY = "image_guard"
VLM = "vlm"
"""The engine that is the orchestrating LLM."""
