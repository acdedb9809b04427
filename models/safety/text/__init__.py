"""Guards of texts: openfaze's own (`engine`, made of rules and a trained head), and guard models on a server
(`server`), each of which has its own dialect."""
