# Runs one call at the device. $Call is data, read from a document; nothing in it ever becomes part of a script, but
# the text of a script that a person sent as such. Each answer is one line: '#AB ' and a JSON document in base64, so
# that no code page of a console can change it. Works in Windows PowerShell 5.1 and PowerShell 7.
param($Call)
$ErrorActionPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'

function Send-Record([hashtable]$Record) {
    $json = ConvertTo-Json -InputObject $Record -Depth 4 -Compress
    [Console]::Out.WriteLine('#AB ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)))
}

function ConvertTo-Plain($Value) {
    if ($null -eq $Value) { return $null }
    if ($Value -is [string]) { return $Value.ToString() }
    if ($Value -is [datetime]) { return $Value.ToString('yyyy-MM-dd HH:mm:ss') }
    if ($Value -is [enum]) { return $Value.ToString() }
    if ($Value -is [bool] -or $Value -is [decimal]) { return $Value }
    if ($Value -is [ValueType] -and $Value.GetType().IsPrimitive) { return $Value }
    if ($Value -is [Collections.IEnumerable]) { return (@($Value | Select-Object -First 20 | ForEach-Object { "$_" }) -join ', ') }
    return "$Value"
}

function Get-Column($Object) {
    if ($Call.columns) { return @($Call.columns) }
    $standard = $Object.PSStandardMembers
    if ($standard -and $standard.DefaultDisplayPropertySet) {
        return @($standard.DefaultDisplayPropertySet.ReferencedPropertyNames)
    }
    $names = @($Object.PSObject.Properties | ForEach-Object { $_.Name } | Where-Object { $_ -notlike 'PS*' -and $_ -notlike 'Cim*' })
    return @($names | Select-Object -First 12)
}

function Send-Object($Object) {
    if ($null -eq $Object) { return }
    if ($Object -is [Management.Automation.ErrorRecord]) {
        if ($Call.program) { Send-Record @{ k = 't'; v = "$Object" }; return }
        Send-Record @{ k = 'e'; v = $Object.Exception.Message; id = $Object.FullyQualifiedErrorId }
        return
    }
    if ($Object -is [string] -or $Object -is [ValueType]) { Send-Record @{ k = 't'; v = (ConvertTo-Plain $Object) }; return }
    $row = [ordered]@{}
    foreach ($name in (Get-Column $Object)) {
        try { $row["$name"] = ConvertTo-Plain $Object.$name } catch { $row["$name"] = '?' }
    }
    Send-Record @{ k = 'o'; v = $row }
}

function ConvertTo-Argument($Value) {
    if ($Value -is [Management.Automation.PSCustomObject]) {
        $table = @{}
        foreach ($property in $Value.PSObject.Properties) { $table[$property.Name] = ConvertTo-Argument $property.Value }
        return $table
    }
    if ($Value -is [array]) { return , @($Value | ForEach-Object { ConvertTo-Argument $_ }) }
    return $Value
}

try {
    $given = @($Call.given | Where-Object { $null -ne $_ })
    if ($Call.script) {
        $block = [ScriptBlock]::Create($Call.script)
        & $block 2>&1 | ForEach-Object { Send-Object $_ }
    }
    elseif ($Call.program) {
        & $Call.program @given 2>&1 | ForEach-Object { Send-Object $_ }
        if ($LASTEXITCODE) { Send-Record @{ k = 'z'; c = $LASTEXITCODE }; return }
    }
    else {
        $command = @(Get-Command -Name $Call.cmdlet -CommandType @('Cmdlet', 'Function') -ErrorAction Stop)[0]
        $named = @{}
        if ($Call.named) { $named = ConvertTo-Argument $Call.named }
        if ($Call.whatif) {
            if (-not $command.Parameters.ContainsKey('WhatIf')) { Send-Record @{ k = 'n' }; return }
            $named['WhatIf'] = $true
        }
        & $command @named @given 2>&1 | ForEach-Object { Send-Object $_ }
    }
}
catch { Send-Object $_ }
Send-Record @{ k = 'z'; c = 0 }
