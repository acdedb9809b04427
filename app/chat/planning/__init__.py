"""Knowledge of planning: kinds of media, and phrases of several languages."""
