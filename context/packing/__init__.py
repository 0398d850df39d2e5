"""From ranked candidates to the text a model is shown: within a budget of tokens, in an order that stays."""
