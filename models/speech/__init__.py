"""Engines that hear: speech to text and voices, behind the seams in `hearing`, and `voice_activity`, which tells speech
from silence."""
