-- What happened: the timeline of statuses and the audit of commands.

create table connection_events (
  connection_id text not null references connections (id) on update cascade on delete cascade,
  at timestamptz not null,
  status text not null,
  reason text
);

create index connection_events_timeline on connection_events (connection_id, at);
create index connection_events_at on connection_events (at);

create function connections_record_event() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  insert into connection_events (connection_id, at, status, reason)
  values (new.id, case when tg_op = 'INSERT' or new.status is distinct from old.status then new.since else now() end,
          new.status, new.reason);
  return null;
end $$;

create trigger connections_first_event after insert on connections
for each row execute function connections_record_event();

create trigger connections_event after update of status, reason on connections
for each row when ((old.status, old.reason) is distinct from (new.status, new.reason))
execute function connections_record_event();

-- Who asked for what, and when. Keeps no reference to the connection: an audit outlives what it tells of.
create table commands (
  id bigint generated always as identity primary key,
  connection_id text not null,
  action text not null,
  actor text,
  idempotency_key text,
  generation bigint not null,
  at timestamptz not null default now()
);

create index commands_connection on commands (connection_id, at);
create index commands_idempotency on commands (connection_id, idempotency_key) where idempotency_key is not null;
