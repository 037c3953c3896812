"""The inspector: one component on the page that shows clips, their slots and what they say."""
