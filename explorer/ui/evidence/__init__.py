"""The pages Paper and Very deep: verdicts, and a thousand layers."""
