"""The only code that knows how Home Assistant keeps and tells things."""
