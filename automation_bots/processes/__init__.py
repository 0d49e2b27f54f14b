"""Child processes: started apart from the bot's terminal, read within limits, ended with all that they started."""
