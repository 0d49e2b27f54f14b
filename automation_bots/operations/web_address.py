"""What a rule says of looking at a web address: on a device like any read, elsewhere only where a rule names it."""

from __future__ import annotations

from dataclasses import replace

from automation_bots.model import Operation, Parameter, Risk

NAME = "http"
ON_DEVICE = Operation(
    NAME,
    "Whether a web address answers: status, text, certificate, time",
    Risk.READ,
    parameters=(Parameter("url"),),
    driver="reach",
    examples=("monitor http https://www.corp.example",),
)
ELSEWHERE = replace(ON_DEVICE, devices="none", declared=False)
