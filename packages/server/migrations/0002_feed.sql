-- The change feed: revisions, transaction stamps, tombstones, and one empty notification per transaction.
--
-- All functions are `security definer`, because a writer with few rights on the table would otherwise fail on the
-- sequence or on the tombstones; the search path is fixed for the same reason.

-- A changed dial setting is something to act on, which is what a generation says. Its name sorts before the stamp's:
-- triggers of one kind fire in alphabetical order, and the raised generation has to be stamped.
create function connections_dial_changed() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  new.generation := greatest(new.generation, old.generation + 1);
  return new;
end $$;

create trigger connections_1_dial before update on connections
for each row when (
  (old.protocol, old.host, old.port, old.path, old.protocol_version, old.client_id, old.username, old.keepalive_s,
   old.tls, old.topics, old.availability, old.sparkplug, old.expected_interval_s)
  is distinct from
  (new.protocol, new.host, new.port, new.path, new.protocol_version, new.client_id, new.username, new.keepalive_s,
   new.tls, new.topics, new.availability, new.sparkplug, new.expected_interval_s)
) execute function connections_dial_changed();

create function connections_stamp_insert() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  new.revision := nextval('connection_revisions');
  new.changed := pg_current_xact_id();
  return new;
end $$;

create trigger connections_2_stamp_insert before insert on connections
for each row execute function connections_stamp_insert();

create function connections_stamp_update() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if new.status is distinct from old.status and new.since is not distinct from old.since then
    new.since := now();
  end if;
  if new.device is distinct from old.device and new.device_since is not distinct from old.device_since then
    new.device_since := now();
  end if;
  new.revision := nextval('connection_revisions');
  new.changed := pg_current_xact_id();
  new.updated_at := now();
  return new;
end $$;

-- Only the watched columns: everything else changes silently.
create trigger connections_2_stamp_update before update on connections
for each row when (
  (old.id, old.site_id, old.name, old.labels, old.managed, old.desired, old.desired_at, old.desired_by, old.generation,
   old.status, old.reason, old.detail, old.since, old.observed_generation, old.last_message_at, old.device, old.device_since)
  is distinct from
  (new.id, new.site_id, new.name, new.labels, new.managed, new.desired, new.desired_at, new.desired_by, new.generation,
   new.status, new.reason, new.detail, new.since, new.observed_generation, new.last_message_at, new.device, new.device_since)
) execute function connections_stamp_update();

create function connections_bury(old_id text, old_site_id text) returns void
language sql security definer set search_path from current as $$
  insert into connection_tombstones (id, site_id, revision, changed)
  values (old_id, old_site_id, nextval('connection_revisions'), pg_current_xact_id())
  on conflict (id, site_id) do update
  set revision = excluded.revision, changed = excluded.changed, deleted_at = excluded.deleted_at
$$;

create function connections_deleted() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  perform connections_bury(old.id, old.site_id);
  return null;
end $$;

create trigger connections_deleted after delete on connections
for each row execute function connections_deleted();

-- A row that arrives at a place must be newer than every tombstone of its id. It is not always so by itself: a BEFORE
-- INSERT trigger takes its revision before the insert waits for a concurrent delete of the same id, so the row could
-- carry a lower revision than the tombstone, and readers that keep the highest revision would ignore it. Hence the
-- second revision here, where nobody is waited for any more.
create function connections_arrived() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if tg_op = 'UPDATE' then
    perform connections_bury(old.id, old.site_id);
  end if;
  if exists (select from connection_tombstones t where t.id = new.id and t.revision > new.revision) then
    update connections
    set revision = nextval('connection_revisions'), changed = pg_current_xact_id()
    where id = new.id;
  end if;
  delete from connection_tombstones where id = new.id and site_id = new.site_id;
  return null;
end $$;

create trigger connections_arrived after insert on connections
for each row execute function connections_arrived();

create trigger connections_moved after update of id, site_id on connections
for each row when ((old.id, old.site_id) is distinct from (new.id, new.site_id))
execute function connections_arrived();

-- The poke. Empty, because a payload would be lost for whoever is not listening at that moment; once per transaction,
-- because Postgres folds equal notifications and every notifying commit takes a lock of the whole cluster.
create function connections_poke_if_changed() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if exists (select revision from after_rows except select revision from before_rows) then
    perform pg_notify('mqtt_status', '');
  end if;
  return null;
end $$;

create function connections_poke_if_any() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if exists (select from touched_rows) then
    perform pg_notify('mqtt_status', '');
  end if;
  return null;
end $$;

create trigger connections_poke_insert after insert on connections
referencing new table as touched_rows
for each statement execute function connections_poke_if_any();

create trigger connections_poke_update after update on connections
referencing old table as before_rows new table as after_rows
for each statement execute function connections_poke_if_changed();

create trigger connections_poke_delete after delete on connections
referencing old table as touched_rows
for each statement execute function connections_poke_if_any();

-- TRUNCATE fires no row triggers: readers would keep rows that are gone.
create function connections_refuse_truncate() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  raise exception 'connections can not be truncated: readers would not learn of it'
  using hint = 'Use "delete from connections" instead.';
end $$;

create trigger connections_refuse_truncate before truncate on connections
for each statement execute function connections_refuse_truncate();
