"""What happens elsewhere: taken in, told as alerts with a life, followed by rules, answered to whoever sent it."""
