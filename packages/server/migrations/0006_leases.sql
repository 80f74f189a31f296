-- Several instances: whose a connection is, and questions between them.

create index connections_owner_id on connections (owner_id);

-- Whoever kept it keeps it no more, or not yet: nobody owns it, and a write that is still under way changes nothing.
-- Ownership is not watched, so the order among the triggers does not matter.
create function connections_managed_changed() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  new.owner_id := null;
  new.epoch := old.epoch + 1;
  return new;
end $$;

create trigger connections_1_managed before update on connections
for each row when (old.managed is distinct from new.managed)
execute function connections_managed_changed();

-- "Is it really there?", asked at one instance and answered by the one that keeps the connection. Rows live for seconds.
create table connection_checks (
  id uuid primary key,
  connection_id text not null,
  owner_id text not null,
  asked_at timestamptz not null default now(),
  answer jsonb
);
