"""What people want to hear of in a room: jobs that fail, changes that end, requests that wait."""
