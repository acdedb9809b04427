"""Engines that forecast series of numbers. `forecaster.Forecaster` is their interface."""
