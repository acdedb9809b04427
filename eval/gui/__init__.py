"""Measurement of `gui_detection` on pages whose true boxes and roles come from the browser."""
