"""What follows from a search for hyper-parameters: how good a choice among trained policies is, by cost."""
