"""Why, and what if: explanations, counterfactuals, forecasts and warnings. Imported only when somebody looks."""
