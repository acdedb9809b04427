"""Detectors: engines that find objects in pictures, all behind one `Detector`.

Networks with a fixed set of labels run on onnxruntime (FastestDet, RF-DETR, D-FINE); those that search for any label
need PyTorch (LLMDet and other Grounding DINOs in transformers, ultralytics' YOLOE). Masks come from a network that
draws them itself, or from SAM 2.1 for the boxes of any other.
"""
