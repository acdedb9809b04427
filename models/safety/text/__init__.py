"""Guards of texts: openfaze's own (`engine`, made of views, rules and a trained head), Qwen3Guard in this process, and
guard models on a server, each of which has its own dialect."""
