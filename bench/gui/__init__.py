"""Measuring `gui_detection` on pages whose true boxes and roles the browser tells."""
