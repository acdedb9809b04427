"""Engines that translate sentences, behind one interface."""
