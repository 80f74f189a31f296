-- Several installations in one database, each in a schema of its own: none hears the notifications of another.
--
-- The server chooses the channels of a new installation (db/installation.ts) and hands them over as two settings of this
-- transaction. An installation from before this migration keeps the channels that its running nodes listen on.

alter table meta
  add column channel text not null default 'mqtt_status',
  add column calls_channel text not null default 'mqtt_status_calls';

update meta
set channel = coalesce(nullif(current_setting('mqtt_status.channel', true), ''), channel),
  calls_channel = coalesce(nullif(current_setting('mqtt_status.calls_channel', true), ''), calls_channel);

create or replace function connections_poke() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if coalesce(current_setting('mqtt_status.notify', true), '') not in ('off', 'false', 'no', '0') then
    perform pg_notify(channel, '') from meta;
  end if;
  return null;
end $$;
