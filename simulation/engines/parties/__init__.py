"""A party outside its core: behaviour, driver calls, what it writes down."""
