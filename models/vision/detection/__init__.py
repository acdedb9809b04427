"""Engines that detect objects in pictures. `Detector` is their interface.

FastestDet and RF-DETR have a fixed set of labels and run on onnxruntime; RF-DETR computes masks, too. LLMDet in
transformers, which searches for any label, and ultralytics' YOLOs need PyTorch.
"""
