-- How far sides are apart on the whole is one thing, on a dimension another: the threshold and the rule are about dimensions.
alter table thresholds rename column score_gap to dimension_gap;
alter table thresholds rename constraint thresholds_score_gap_check to thresholds_dimension_gap_check;

-- Snapshots say what they said, by the names of now. Within texts quotes are escaped: these are names and codes alone.
alter table portfolio_snapshots no force row level security;
alter table portfolio_snapshot_rows no force row level security;
update portfolio_snapshots set summary = regexp_replace(
  regexp_replace(summary::text, '"score_gap"(\s*:)', '"dimension_gap"\1', 'g'), ':(\s*)"score_gap"', ':\1"wide_gap"', 'g')::json
where summary::text like '%"score_gap"%';
update portfolio_snapshot_rows set figures = regexp_replace(figures::text, '([[,]\s*)"score_gap"', '\1"wide_gap"', 'g')::json
where figures::text like '%"score_gap"%';
alter table portfolio_snapshots force row level security;
alter table portfolio_snapshot_rows force row level security;
