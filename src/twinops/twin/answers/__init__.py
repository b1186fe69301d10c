"""What a twin answers when asked: portrait, forecast, reasons, what-if."""
