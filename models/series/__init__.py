"""Engines that continue series of numbers, all behind one `forecaster.Forecaster`."""
