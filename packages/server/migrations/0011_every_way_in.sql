-- Every way in is guarded: rows that logical replication applies, rows that are written with
-- session_replication_role = replica, rows that are written through a parent table, and values that only this database
-- may give.
--
-- The apply worker of a subscription runs in the replication role "replica". It fires only triggers that are ENABLE
-- ALWAYS, and it fires no statement triggers at all. Hence all triggers are ALWAYS, and the poke is sent by row triggers.

-- ── stamps ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Readers pass over a row whose revision is not higher than the one they know, and they never read a row again whose
-- transaction they have seen. A publisher that runs these triggers too sends its own revisions and transactions, so
-- every write of either column, by any writer, is answered with a fresh stamp of this database.
drop trigger connections_2_stamp_update on connections;

create trigger connections_2_stamp_update before update on connections
for each row when (
  (old.id, old.site_id, old.name, old.labels, old.managed, old.desired, old.desired_at, old.desired_by, old.generation,
   old.status, old.reason, old.detail, old.since, old.observed_generation, old.last_message_at, old.device, old.device_since,
   old.revision, old.changed)
  is distinct from
  (new.id, new.site_id, new.name, new.labels, new.managed, new.desired, new.desired_at, new.desired_by, new.generation,
   new.status, new.reason, new.detail, new.since, new.observed_generation, new.last_message_at, new.device, new.device_since,
   new.revision, new.changed)
) execute function connections_stamp_update();

-- ── the fence ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- A new row of an id that was here before gets a fence that no former owner of that id ever had. What a replica brings
-- of owner and fence belongs to another database.
create function connections_fence_insert() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if current_setting('session_replication_role') = 'replica' then
    new.owner_id := null;
    new.epoch := 0;
  end if;
  if exists (select from connection_tombstones t where t.id = new.id) then
    new.epoch := nextval('connection_revisions');
  elsif new.epoch not between 0 and 4503599627370496 then
    new.epoch := 0;
  end if;
  return new;
end $$;

create trigger connections_1_fence_insert before insert on connections
for each row execute function connections_fence_insert();

-- The fence rises by one with each new owner and with each write to it, and never falls. Only a row without a living
-- owner gets a new one: nodes claim nothing else, so what a foreign writer puts there over a living owner has no effect.
-- To take a connection from its owner, write owner_id = null.
create function connections_fence_update() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if current_setting('session_replication_role') = 'replica' then
    new.owner_id := old.owner_id;
    new.epoch := old.epoch;
  elsif new.owner_id is distinct from old.owner_id and new.owner_id is not null and exists (
    select from supervisors s where s.id = old.owner_id and s.lease_expires_at > now()
  ) then
    new.owner_id := old.owner_id;
    new.epoch := old.epoch;
  elsif new.epoch is distinct from old.epoch or (
    new.owner_id is distinct from old.owner_id and new.owner_id is not null
  ) then
    new.epoch := old.epoch + 1;
  end if;
  return new;
end $$;

-- Sorts before connections_1_managed, which takes the owner away in any role.
create trigger connections_1_fence_update before update on connections
for each row when ((old.owner_id, old.epoch) is distinct from (new.owner_id, new.epoch))
execute function connections_fence_update();

-- ── the poke ──────────────────────────────────────────────────────────────────────────────────────────────────────

drop trigger connections_poke_insert on connections;
drop trigger connections_poke_update on connections;
drop trigger connections_poke_delete on connections;
drop function connections_poke_if_any();
drop function connections_poke_if_changed();

-- Postgres folds equal notifications of a transaction into one. A transaction that has notified can not be prepared for
-- a two-phase commit; one that begins with "set local mqtt_status.notify = off" can, and the servers find its changes
-- with their timer.
create function connections_poke() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if coalesce(current_setting('mqtt_status.notify', true), '') not in ('off', 'false', 'no', '0') then
    perform pg_notify('mqtt_status', '');
  end if;
  return null;
end $$;

create trigger connections_poke_insert after insert on connections
for each row execute function connections_poke();

create trigger connections_poke_update after update on connections
for each row when (old.revision is distinct from new.revision)
execute function connections_poke();

create trigger connections_poke_delete after delete on connections
for each row execute function connections_poke();

-- ── what hangs on a row ───────────────────────────────────────────────────────────────────────────────────────────

-- Foreign keys cascade by triggers of Postgres that do not fire in the replication role "replica": events and secrets of
-- a deleted id would be found again by a later connection of the same id.
create function connections_cascade() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if tg_op = 'DELETE' then
    delete from connection_events where connection_id = old.id;
    delete from connection_secrets where connection_id = old.id;
  else
    update connection_events set connection_id = new.id where connection_id = old.id;
    update connection_secrets set connection_id = new.id where connection_id = old.id;
  end if;
  return null;
end $$;

create trigger connections_cascade_delete after delete on connections
for each row when (current_setting('session_replication_role') = 'replica')
execute function connections_cascade();

create trigger connections_cascade_update after update of id on connections
for each row when (old.id is distinct from new.id and current_setting('session_replication_role') = 'replica')
execute function connections_cascade();

-- ── in every replication role ─────────────────────────────────────────────────────────────────────────────────────

-- All of them, with one reason each:
--   fence, managed, dial   the row is dialled by this database's nodes, whoever wrote it
--   stamp, poke            the change is shown
--   deleted, arrived, moved  readers learn where a row was and is no more
--   first_event, event     the timeline tells of this table, so connection_events is not to be published to it
--   refuse_truncate        readers would keep rows that are gone; publish insert, update and delete only
--   connection_secrets     a new secret is dialled with
do $$
declare
  found record;
begin
  for found in
    select tgrelid::regclass as of_table, tgname as name
    from pg_trigger
    where tgrelid in ('connections'::regclass, 'connection_secrets'::regclass) and not tgisinternal
  loop
    execute format('alter table %s enable always trigger %I', found.of_table, found.name);
  end loop;
end $$;

-- ── upkeep ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One node at a time forgets what is older than it is to be kept.
alter table meta
  add column upkeep_by text,
  add column upkeep_until timestamptz;

create index commands_at on commands (at);
