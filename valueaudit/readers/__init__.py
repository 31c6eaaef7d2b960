"""One file per transcript format, so that nothing behind them knows how a log looks on disk."""
