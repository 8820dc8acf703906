"""Models of others that do not ship: where `harstream get` finds them, and what their contracts say."""
