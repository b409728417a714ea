-- The sums of a portfolio count partnerships at risk, and value what is outstanding in them. Of names and codes alone.
alter table portfolio_snapshots no force row level security;
update portfolio_snapshots set summary = regexp_replace(regexp_replace(regexp_replace(summary::text,
  '"at_risk"(\s*:\s*\d)', '"partnerships_at_risk"\1', 'g'),
  '"at_risk"(\s*:\s*\{)', '"outstanding_at_risk"\1', 'g'),
  '"fulfilment"(\s*:)', '"fulfilment_rate"\1', 'g')::json;
alter table portfolio_snapshots force row level security;
