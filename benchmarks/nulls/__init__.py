"""Homes without habits, made from homes that have some, and what each detector shows in them."""
