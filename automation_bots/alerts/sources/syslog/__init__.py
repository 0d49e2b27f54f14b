"""syslog: heard from devices or relays, read in the forms that they really send; the few lines are kept that matter."""
