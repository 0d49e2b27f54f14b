"""Windows: PowerShell over WinRM or SSH."""
