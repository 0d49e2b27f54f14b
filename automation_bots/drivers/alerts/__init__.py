"""What is said back to the servers that told of an alert: acknowledged, silenced, closed, commented."""
