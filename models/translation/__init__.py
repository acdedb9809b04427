"""Engines that translate sentences, behind one seam."""
