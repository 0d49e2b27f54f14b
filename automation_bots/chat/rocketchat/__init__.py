"""Rocket.Chat: the realtime API in, REST out."""
