"""SNMP traps: taken from snmptrapd, called by the names that people know, each pair of down and up one alert."""
