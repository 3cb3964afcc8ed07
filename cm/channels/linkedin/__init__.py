"""LinkedIn: posts and first comments of an organisation's page, or of a member."""
