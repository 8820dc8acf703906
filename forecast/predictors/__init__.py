"""Ways to predict what comes next. Each is fitted to the same past and answers the same questions."""
