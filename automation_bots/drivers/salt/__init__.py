"""Salt: functions on minions through salt-api, and its event stream."""
