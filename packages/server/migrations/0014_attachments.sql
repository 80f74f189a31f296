-- Attachments: tables of other programs whose rows are mirrored into connections (mqtt-status attach).
--
-- A trigger on the other table notes the keys of changed rows here, and nothing else. A node reads the notes, reads these
-- rows of the other table, and writes what differs into connections. So the transaction of the other program never waits
-- for a row of connections, and never fails because of one.

create table attachments (
  id integer generated always as identity primary key,
  -- The attached table, as "schema.table".
  name text not null unique,
  -- The ids in connections begin with it.
  prefix text not null unique check (prefix ~ '^[A-Za-z0-9._-]{0,64}$'),
  -- What "mqtt-status attach" was called with, after it has looked the names up.
  options jsonb not null,
  created_by text not null default current_user,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),

  -- How the mirror fares; written by the node that has the turn.
  compared_at timestamptz,
  row_count bigint,
  -- {code, message, since, last, count}; null while there is none.
  error jsonb,
  -- Rows that could not be mirrored: how many, and the first ones as {key, code, message}.
  refused_count integer not null default 0,
  refused jsonb not null default '[]'
);

-- Notes: keys of rows that have changed. A null key says that all rows are to be compared. There is no index and no
-- constraint, so writers never wait for each other. Notes live for a tenth of a second; the file is never made shorter,
-- because that would lock writers out for a moment.
create table attachment_changes (
  attachment integer not null,
  key text
) with (vacuum_truncate = off, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- Raised when a note could not be written. It is no part of any transaction, so it is raised whatever becomes of that one.
create sequence attachment_losses;

-- One row: which node reads the notes, and until when.
create table attachment_turn (
  singleton boolean primary key default true check (singleton),
  node text,
  until timestamptz
);

insert into attachment_turn default values;

-- The row of an attached table that a connection mirrors; null for all others.
alter table connections
  add column attachment integer references attachments (id),
  add column attachment_key text;

create index connections_attachment on connections (attachment, attachment_key) where attachment is not null;

-- ── notes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Called by the triggers of the attached tables. Where another session has locked the table of notes, the call fails at once, and
-- the trigger goes on without it.
create function attachment_note(attachment integer, key text) returns void
language plpgsql security definer set search_path from current set lock_timeout = '10ms' as $$
begin
  insert into attachment_changes values (attachment_note.attachment, attachment_note.key);
end $$;

create function attachment_lost() returns void
language plpgsql security definer set search_path from current set lock_timeout = '10ms' as $$
begin
  perform nextval('attachment_losses');
end $$;

revoke all on function attachment_note(integer, text), attachment_lost() from public;

-- ── ids ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- These functions have no search path of their own, so that Postgres expands them in place. Their callers have one.
--
-- A text that goes into URLs, without a loss: letters, digits and . _ - as they are, other characters as their bytes in
-- UTF-8, each as ~XX. The empty text is ~.
create function attachment_encode(given text) returns text
language sql immutable strict as $$
  select case
    when given ~ '^[A-Za-z0-9._-]+$' then given
    when given = '' then '~'
    else (
      select string_agg(
        case
          when letter ~ '^[A-Za-z0-9._-]$' then letter
          else regexp_replace(upper(encode(convert_to(letter, 'UTF8'), 'hex')), '(..)', '~\1', 'g')
        end,
        '' order by place)
      from regexp_split_to_table(given, '') with ordinality as letters (letter, place)
    )
  end
$$;

-- A text of at most 128 characters: a longer one keeps its first 102, then ~~ and 24 digits of its SHA-256.
create function attachment_shorten(given text) returns text
language sql immutable strict as $$
  select case
    when length(given) <= 128 then given
    else left(given, 102) || '~~' || left(encode(sha256(convert_to(given, 'UTF8')), 'hex'), 24)
  end
$$;

-- One line of at most so many characters, null where nothing is left; a longer one ends with an ellipsis.
create function attachment_line(given text, most integer) returns text
language sql immutable strict as $$
  select case when length(line) <= most then nullif(line, '') else left(line, most - 1) || '…' end
  from (select btrim(regexp_replace(given, '[\u0001-\u001f\u007f-\u009f]+', ' ', 'g')) as line) lines
$$;

-- ── replication ───────────────────────────────────────────────────────────────────────────────────────────────────

-- Attachments belong to one database: what logical replication brings of another one's means nothing here.
create function connections_keep_attachment() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if tg_op = 'INSERT' then
    new.attachment := null;
    new.attachment_key := null;
  else
    new.attachment := old.attachment;
    new.attachment_key := old.attachment_key;
  end if;
  return new;
end $$;

create trigger connections_1_attachment before insert or update on connections
for each row when (current_setting('session_replication_role') = 'replica')
execute function connections_keep_attachment();

alter table connections enable always trigger connections_1_attachment;
