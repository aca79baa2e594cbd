"""What stands in the place of OpenAI, AWS, a record or a clock."""
