-- Wishes: what a click asks of a connection that mirrors a row of another program, until that program has it.
--
-- A command edits the connection as always. A node then writes the wish into the other program's table, in a transaction of
-- its own, so the other program and the commands never wait for each other. A wish is open while the generation is higher than
-- the one that was handed over, so a node that is killed in between loses none.

alter table connections
  -- The generation of the last wish that the other program has.
  add column attachment_generation bigint not null default 0,
  -- The restart_generation of the last reconnect that the other program has confirmed.
  add column attachment_restart_generation bigint not null default 0;

create index connections_wishes on connections (attachment)
where attachment is not null and desired is not null and generation > attachment_generation;

alter table attachments
  -- Why an open wish could not be handed over, like error; null while there is none.
  add column wish_error jsonb;

-- Whether a status is what was wished.
create function attachment_agrees(desired text, status text) returns boolean
language sql immutable as $$
  select coalesce(desired = status and desired in ('connected', 'disconnected'), false)
$$;

-- Whether a change to this status shows that the program acts on the wish.
create function attachment_obeys(desired text, status text) returns boolean
language sql immutable as $$
  select coalesce(
    case desired
      when 'connected' then status in ('connected', 'connecting', 'reconnecting', 'failed')
      when 'disconnected' then status in ('disconnected', 'disconnecting')
    end, false)
$$;

-- Attachments belong to one database: what logical replication brings of another one's means nothing here.
create or replace function connections_keep_attachment() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    new.attachment := null;
    new.attachment_key := null;
    new.attachment_generation := 0;
    new.attachment_restart_generation := 0;
  else
    new.attachment := old.attachment;
    new.attachment_key := old.attachment_key;
    new.attachment_generation := old.attachment_generation;
    new.attachment_restart_generation := old.attachment_restart_generation;
  end if;
  return new;
end $$;
