"""Engines that detect objects in pictures. `Detector` is their interface.

Networks with a fixed set of labels run on onnxruntime (FastestDet, RF-DETR, D-FINE). Networks that search for any label
need PyTorch (LLMDet and other Grounding DINOs in transformers, ultralytics' YOLOE). Masks come from networks that
compute them together with the boxes, or from SAM 2.1 for the boxes of any other network.
"""
