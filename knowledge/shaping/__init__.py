"""What a question and its caller ask of a ranking's form: when, how varied, how much around it, in which order."""
