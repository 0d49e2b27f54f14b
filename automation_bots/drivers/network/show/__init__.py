"""What network devices print, as tables and text."""
