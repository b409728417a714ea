-- An export may be of a past day: `as_of_day` is the day that was asked about, `as_of` the moment of the snapshot.
alter table exports add column as_of_day date;
alter table exports add constraint exports_as_of_day_whole
  check (as_of_day is null or changed_since_sequence is null);
