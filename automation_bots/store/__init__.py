"""The durable record: jobs, outcomes, holds and the audit chain. All SQL of the project is in this package."""

from automation_bots.store.audit import AuditKind, AuditRow, BrokenAudit, Criteria, Subject
from automation_bots.store.store import Store

__all__ = ["AuditKind", "AuditRow", "BrokenAudit", "Criteria", "Store", "Subject"]
