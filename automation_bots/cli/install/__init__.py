"""`automation-bots install` and `uninstall`: a bot as a service of this machine."""
