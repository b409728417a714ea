-- Evaluations that impacts still ask for, by the day they are due.
create index disruption_impacts_unevaluated on disruption_impacts (tenant_id, evaluation_due_on)
  where evaluation_obligation = 'open';
