"""What planning knows: kinds of media, the words of several languages, and the router behind them."""
