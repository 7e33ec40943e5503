"""How often automations that are proposed would be right in the weeks after, and how much they would save."""
