import type pg from 'pg'
import { eventTypeFilters } from '../../src/platform/event-types.ts'

/**
 * What the events of a database leave out of `changed`: each kind of event, with the members that differ from the
 * record’s event before, and the types of events that are not listed. Events of one version all show what became of it,
 * and are taken together. `last_used_at` of a key moves without an event.
 */
export async function untold(owner: pg.ClientBase): Promise<string[]> {
  const unlisted = await owner.query<{ kind: string }>(
    'select distinct type as kind from events where type <> all($1)',
    [eventTypeFilters],
  )
  const { rows } = await owner.query<{ kind: string }>(`
    with told as (
      select e.tenant_id, e.resource_type, e.resource_id, e.version, min(e.sequence) as sequence,
        string_agg(distinct e.type, ', ') as types,
        (array_agg(e.representation))[1]::jsonb as after, array_agg(e.changed::text) as lists
      from events e where e.representation is not null
      group by e.tenant_id, e.resource_type, e.resource_id, e.version
    ), pairs as (
      select t.*, lag(after) over (partition by tenant_id, resource_type, resource_id order by version, sequence) as before
      from told t
    )
    select p.types || ': ' || string_agg(distinct m.key, ', ') as kind
    from pairs p cross join lateral jsonb_each(p.after) m
    where p.before is not null and p.before -> m.key is distinct from m.value and m.key not in ('version', 'updated_at', 'last_used_at')
      and not exists (select from unnest(p.lists) l where m.key = any(l::text[]))
    group by p.types order by 1`)
  return [...unlisted.rows, ...rows].map(({ kind }) => kind)
}
