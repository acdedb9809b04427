"""Runs engines in separate processes, on one machine or several, as deployments of Ray Serve. OPENFAZE_CLUSTER=ray
switches this on.

An engine's queue, the order of its work, its batches and its counters remain with `models.hosts.host` in the server.
Only the computation of batches moves, from a thread to a replica. The module `plan` has the operator's choices. The
module `replica` is the code in the other processes, and `serve`, the only module that imports Ray, sends batches to
them.
"""
