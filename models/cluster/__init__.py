"""Engines in processes of their own, on one machine or several, as deployments of Ray Serve: OPENFAZE_CLUSTER=ray.

The queue before an engine, whose work is next, its batches and its counters stay with `models.host` in the server;
here is where the batches are computed instead of a thread. `plan` says what an operator may choose, `replica` is what
runs in the other processes, and `serve`, which alone imports Ray, carries batches there.
"""
