"""Engines that detect objects in pictures. `Detector` is their interface.

FastestDet, RF-DETR and D-FINE have a fixed set of labels and run on onnxruntime. LLMDet and other Grounding DINOs in
transformers, which search for any label, and ultralytics' YOLOs need PyTorch. Masks come from networks that compute
them together with the boxes, or from SAM 2.1 for the boxes of any other network.
"""
